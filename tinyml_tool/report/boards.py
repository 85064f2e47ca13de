"""Boards as tables for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from tinyml_tool.boards import Board


def size_text(size: int) -> str:
    """Bytes as people say them: 524288 -> "512 KB", 4 MB and more in MB.

    >>> size_text(16384), size_text(4194304), size_text(1500)
    ('16 KB', '4 MB', '1,500 B')
    """
    if size % (1024 * 1024) == 0:
        return f"{size // (1024 * 1024)} MB"
    if size % 1024 == 0:
        return f"{size // 1024} KB"
    return f"{size:,} B"


def _features(board: Board) -> str:
    core = board.core
    features = [] if core.fpu == "none" else [f"FPU ({core.fpu})"]
    features += ["DSP"] if core.dsp else []
    features += ["MVE"] if core.mve else []
    return ", ".join(features) or "-"


def _emulator(board: Board) -> str:
    if board.is_emulated:
        qemu = [f"qemu {board.emulator.machine}"] if board.emulator else []
        return ", ".join(qemu + ["renode"] * (board.renode is not None))
    stand_ins = [name for name in (board.emulated_as, board.renode_as) if name]
    return f"as {', '.join(stand_ins)}" if stand_ins else "-"


def boards_table(boards: Sequence[Board]) -> Table:
    """One row a board."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("id", "name", "core", "features"):
        table.add_column(column, no_wrap=column == "id")
    for column in ("flash", "RAM"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("emulator")
    for board in boards:
        table.add_row(
            board.id,
            board.name,
            board.core.name,
            _features(board),
            size_text(board.memory.flash.size),
            size_text(board.memory.ram.size),
            _emulator(board),
        )
    return table


def board_table(board: Board) -> Table:
    """Two columns: every fact of one board."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()

    def add(values: dict[str, object], prefix: str = "") -> None:
        for key, value in values.items():
            if isinstance(value, dict):
                add(value, f"{prefix}{key}.")
            elif key == "regions":
                for region in value if isinstance(value, tuple) else ():
                    add({k: v for k, v in region.items() if k != "name"}, f"RAM {region['name']}.")
            elif value not in (None, "", (), []):
                table.add_row(prefix + key, _value(key, value))

    add(_facts(board))
    return table


def _facts(board: Board) -> dict[str, object]:
    """What is known of a board: of a real one nothing of registers, which its framework knows."""
    facts: dict[str, object] = board.model_dump()
    if not board.is_real:
        return facts
    facts.pop("chip")
    return facts | {
        "uart": board.uart.model_dump(include={"driver", "baud"}),
        "timer": board.timer.model_dump(include={"driver", "hz"}),
    }


def _value(key: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        if key in ("origin", "base"):
            return f"0x{value:08X}"
        return size_text(value) if key == "size" else f"{value:,}"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
