"""The benchmark's rows as Markdown: all measurements, and beside them what others need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rows import Row

_COLUMNS = (
    "model",
    "board",
    "instructions",
    "per MAC",
    "flash",
    "minimal",
    "RAM",
    "arena",
    "stack",
    "differing",
    "s",
)
_PEERS = Path(__file__).parent / "peers.json"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def head(columns: tuple[str, ...] = _COLUMNS, left: int = 2) -> str:
    """The first two lines of a table."""
    return "\n".join(
        [_line(list(columns)), _line(["---"] * left + ["---:"] * (len(columns) - left))]
    )


def line(row: Row) -> str:
    """One row of all measurements."""
    if not row.fits:
        return _line([row.model, row.board, "does not fit", *[""] * (len(_COLUMNS) - 3)])
    return _line(
        [
            row.model,
            row.board,
            f"{row.instructions:,}",
            f"{row.instructions / row.macs:.2f}" if row.macs else "-",
            f"{row.flash_bytes:,}",
            f"{row.minimal_flash_bytes:,}",
            f"{row.ram_bytes:,}",
            f"{row.arena_bytes:,}",
            f"{row.stack_bytes:,}",
            f"{row.values_different} of {row.values_compared:,}",
            f"{row.seconds:.1f}",
        ]
    )


def comparison(rows: list[Row]) -> Iterator[str]:
    """Instructions, flash and arena beside those of others and the targets."""
    peers: dict[str, Any] = json.loads(_PEERS.read_text())
    names: dict[str, str] = peers["models"]
    known = [row for row in rows if row.fits and row.model in names]
    columns = ("model", "board", "here", "TFLM + CMSIS-NN", "times less", "target", "of target")
    yield "Instructions of one inference:\n"
    yield head(columns)
    for row in known:
        board = peers["instructions"].get(row.board)
        if board is not None:
            yield _compared(row, names[row.model], row.instructions, board)
    for title, key, values in (
        ("Arena, bytes (input, tensors and scratch)", "arena_bytes", "arena_bytes"),
        ("Flash of a minimal program, bytes", "flash_bytes", "minimal_flash_bytes"),
    ):
        yield f"\n{title}:\n"
        yield head(columns)
        for row in known:
            if row.board == "qemu-m4":
                yield _compared(row, names[row.model], getattr(row, values), peers[key])


def _compared(row: Row, name: str, here: int, others: dict[str, dict[str, int]]) -> str:
    peer, target = others["tflm_cmsis_nn"][name], others["target"][name]
    cells = [f"{here:,}", f"{peer:,}", f"{peer / here:.2f}", f"{target:,}", f"{here / target:.2f}"]
    return _line([name, row.board, *cells])
