"""Measures models on emulated boards: `python benchmarks/measure.py MODEL... [--board ID...]`.

Prints a Markdown table: one row a model and board, each firmware built, run and compared.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import tinyml_tool as tt
from tinyml_tool.errors import DoesNotFitError
from tinyml_tool.verify.evidence import Evidence

HEAD = "| model | board | instructions | flash | minimal | RAM | arena | stack | differing | s |"
RULE = "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"


@dataclass(frozen=True)
class Row:
    """One model on one board."""

    evidence: Evidence
    minimal_flash_bytes: int
    """Of a program that only initialises and runs the model once."""


def measure(model: Path, board: str, folder: Path) -> Row:
    """Deploy `model` on `board`, then build the minimal program of the same project."""
    project = folder / f"{model.stem}-{board}"
    evidence = tt.deploy(model, board=board, output=project)
    return Row(evidence, tt.build(project, program="minimal").facts.flash_bytes)


def line(model: Path, board: str, row: Row) -> str:
    """One row of the table."""
    evidence, memory = row.evidence, row.evidence.memory
    assert memory is not None
    cells = [
        model.stem,
        board,
        f"{evidence.instructions_per_inference:,}",
        f"{memory.flash_bytes:,}",
        f"{row.minimal_flash_bytes:,}",
        f"{memory.ram_bytes:,}",
        f"{memory.arena_bytes:,}",
        f"{memory.stack_bytes:,}",
        f"{evidence.parity.values_different} of {evidence.parity.values_compared:,}",
        f"{sum(evidence.seconds.values()):.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--board", nargs="+", default=["qemu-m4"], help="board ids")
    arguments = parser.parse_args()
    print(HEAD, RULE, sep="\n")
    with tempfile.TemporaryDirectory() as folder:
        for model in arguments.models:
            for board in arguments.board:
                try:
                    print(line(model, board, measure(model, board, Path(folder))), flush=True)
                except DoesNotFitError:
                    print(f"| {model.stem} | {board} | does not fit |" + " |" * 7, flush=True)


if __name__ == "__main__":
    main()
