"""What a device answered, as a table for the terminal."""

from __future__ import annotations

import numpy as np
from rich.table import Table

from tinyml_tool.api.run import Output, RunResult

_SHOWN = 5


def answers_table(result: RunResult) -> Table:
    """One row an output of an inference, with its highest values."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("input", "output", "highest values (index: real value)"):
        table.add_column(column, overflow="fold")
    for source, outputs in zip(result.sources, result.outputs, strict=True):
        for output in outputs:
            table.add_row(source, output.name, _highest(output))
    return table


def _highest(output: Output) -> str:
    real = output.real.reshape(-1)
    order = np.argsort(-real, kind="stable")[:_SHOWN]
    shown = ", ".join(f"{index}: {real[index]:.4g}" for index in order)
    return shown + (f" ... of {real.size}" if real.size > _SHOWN else "")
