"""One model on one board, measured: the rows that the benchmark's tables are made of."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tinyml_tool as tt
from tinyml_tool.errors import DoesNotFitError


@dataclass(frozen=True)
class Row:
    """Bytes, instructions and verdict; only the names are set where the model does not fit."""

    model: str
    board: str
    fits: bool = True
    instructions: int = 0
    """Of one inference on inputs of real value 0, counted by QEMU."""
    flash_bytes: int = 0
    minimal_flash_bytes: int = 0
    """Of a program that only initialises and runs the model once."""
    ram_bytes: int = 0
    arena_bytes: int = 0
    stack_bytes: int = 0
    macs: int = 0
    """What is computed, after the graph passes."""
    weight_bytes: int = 0
    values_compared: int = 0
    values_different: int = 0
    seconds: float = 0.0


MEASURED = ("instructions", "minimal_flash_bytes", "arena_bytes", "stack_bytes", "weight_bytes")
"""What must not get worse without being noticed."""


def measure(model: Path, board: str, folder: Path, vectors: int) -> Row:
    """Deploy `model` on `board`, then build the minimal program of the same project."""
    name = Path(board).stem
    project = folder / f"{model.stem}-{name}"
    # A board file of one's own is none that PlatformIO knows.
    system: Any = "cmake" if board.endswith(".toml") else "platformio"
    try:
        evidence = tt.deploy(model, board=board, output=project, vectors=vectors, system=system)
    except DoesNotFitError:
        return Row(model.stem, name, fits=False)
    minimal = tt.build(project, system=system, program="minimal").facts.flash_bytes
    memory, parity, passes = evidence.memory, evidence.parity, evidence.passes
    assert memory is not None
    assert passes is not None
    return Row(
        model=model.stem,
        board=name,
        instructions=evidence.instructions_per_inference or 0,
        flash_bytes=memory.flash_bytes,
        minimal_flash_bytes=minimal,
        ram_bytes=memory.ram_bytes,
        arena_bytes=memory.arena_bytes,
        stack_bytes=memory.stack_bytes or 0,
        macs=passes.after.macs,
        weight_bytes=passes.after.weight_bytes,
        values_compared=parity.values_compared,
        values_different=parity.values_different,
        seconds=round(sum(evidence.seconds.values()), 1),
    )


def write_rows(rows: list[Row], path: Path) -> None:
    """Write the rows as JSON, without the seconds: they differ each time."""
    values = [{k: v for k, v in asdict(row).items() if k != "seconds"} for row in rows]
    path.write_text(json.dumps(values, indent=1) + "\n")


def read_rows(path: Path) -> list[Row]:
    """The rows of such a file."""
    return [Row(**values) for values in json.loads(path.read_text())]


def worse(rows: list[Row], baseline: list[Row]) -> list[str]:
    """What of `rows` is worse than in `baseline`, a line each; rows it lacks are not judged."""
    known = {(row.model, row.board): row for row in baseline}
    lines = []
    for row in rows:
        before = known.get((row.model, row.board))
        if before is None or not before.fits:
            continue
        name = f"{row.model} on {row.board}"
        if not row.fits:
            lines.append(f"{name}: does not fit any more")
            continue
        for field in (*MEASURED, "values_different"):
            was, now = getattr(before, field), getattr(row, field)
            if now > was:
                lines.append(f"{name}: {field} {now:,}, was {was:,}")
    return lines
