"""What a device answered, as a table for the terminal."""

from __future__ import annotations

import numpy as np
from rich.table import Table

from tinyml_tool.api.run import Output, RunResult

_SHOWN = 5


def answers_table(result: RunResult) -> Table:
    """One row an output of an inference: its highest values, and what the device says of it."""
    if result.answers:
        return _told(result)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("input", "output", "highest values (index: real value)"):
        table.add_column(column, overflow="fold")
    for source, outputs in zip(result.sources, result.outputs, strict=True):
        for output in outputs:
            table.add_row(source, output.name, _highest(output))
    return table


def _told(result: RunResult) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("input", "the device says", "score", "next", "detected"):
        table.add_column(column, overflow="fold")
    for source, answer in zip(result.sources, result.answers, strict=True):
        if answer.label is None:
            table.add_row(source, "nothing: its output is no number", "", "", "")
            continue
        others = ", ".join(f"{label} {score:.4g}" for label, score in answer.top[1:])
        table.add_row(source, answer.label, f"{answer.score:.4g}", others, answer.detected or "-")
    return table


def _highest(output: Output) -> str:
    real = output.real.reshape(-1)
    order = np.argsort(-real, kind="stable")[:_SHOWN]
    shown = ", ".join(f"{index}: {real[index]:.4g}" for index in order)
    return shown + (f" ... of {real.size}" if real.size > _SHOWN else "")
