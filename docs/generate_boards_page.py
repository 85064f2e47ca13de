"""Writes docs/boards.md from boards/*.toml: python docs/generate_boards_page.py."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tinyml_tool.boards import Board, emulated_boards, load_boards

PAGE = Path(__file__).parent / "boards.md"

_INTRODUCTION = """\
# Boards

*This page is generated from `boards/*.toml` by `docs/generate_boards_page.py`. Change the files,
not the page.*

A board is one file in `boards/`; `--board mine.toml` takes one of your own. There are two kinds.
Emulated boards run in QEMU or Renode, on firmware without any framework, and every claim of this
project is proven on them. Real boards are programmed through the Arduino framework of their vendor,
with PlatformIO; [real-boards.md](real-boards.md) tells what to type.
"""

_EMULATED = """\
## Emulated boards
"""

_REAL = """\
## Real boards

Flash is what a program may fill, RAM the one region that static data, and so the model's arena, go
to; the chip may have more of both. A project for one of these holds two PlatformIO environments
with the same sources: the board's own, and the emulated one of the last column, which is the
default and needs no board, no framework and no network.
"""

_LINK = """\
## How the computer reaches them

The link runs over the serial object `Serial` of the framework, at 115,200 baud; on USB that number
means nothing. The timer is the core's cycle counter (DWT CYCCNT) where it has one; at start the
firmware compares it with the framework's clock for 10 ms and takes the framework's microseconds
where the two are more than 3 % apart. Several boards share the USB ids of their debug probe:
`tinyml ports` then names them all.
"""

_CHECKED = """\
## Checked against PlatformIO's own data

Flash, RAM and clock of each file were compared with PlatformIO's description of the board, in the
release that generated projects name in `platformio.ini`. The other values are from the
frameworks' sources and the boards' manuals; the USB ids are the vendors', partly from these same
files, and none was seen on a wire.

The last column tells what the board's environment of a generated project was built with once: by
PlatformIO's own build scripts of that release, with arm-none-eabi-gcc 12.2, which is not the
compiler that PlatformIO would download. Where it is empty, it was not built: PlatformIO's registry
could not be reached, and the sources of that framework were not at hand. **No firmware ran on any
of these boards.**
"""

_FRAMEWORK = """\
## What the frameworks take

`tinyml inspect` and `tinyml generate` count this in when they say whether a model fits. The numbers
of frameworks that a project was linked with are from that program, rounded up; the others are
estimates.
"""


def boards_page() -> str:
    """The text of docs/boards.md."""
    boards = load_boards().values()
    real = [board for board in boards if board.is_real]
    parts = [
        _INTRODUCTION,
        _EMULATED,
        _emulated_table(board for board in boards if not board.is_real),
        _REAL,
        _real_table(real),
        _notes(real),
        _LINK,
        _link_table(real),
        _CHECKED,
        _checked_table(real),
        _FRAMEWORK,
        _framework_table(real),
    ]
    return "\n".join(parts)


def _table(titles: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _emulated_table(boards: Iterable[Board]) -> str:
    rows = [
        (
            f"`{board.id}`",
            board.name,
            _core(board),
            f"{board.memory.flash.size:,}",
            f"{board.memory.ram.size:,}",
            _emulators(board),
        )
        for board in boards
    ]
    return _table(("id", "what it is", "core", "flash", "RAM", "emulated by"), rows)


def _emulators(board: Board) -> str:
    qemu = [f"QEMU `{board.emulator.machine}`"] if board.emulator else []
    return ", ".join(qemu + ["Renode"] * (board.renode is not None))


def _core(board: Board) -> str:
    core = board.core
    features = [] if core.fpu == "none" else [f"{core.fpu} FPU"]
    features += ["DSP"] if core.dsp else []
    features += ["MVE"] if core.mve else []
    return ", ".join([core.name, *features])


def _real_table(boards: Iterable[Board]) -> str:
    rows = [
        (
            f"`{board.id}`",
            board.name,
            _core(board),
            f"{board.memory.flash.size:,}",
            f"{board.memory.ram.size:,}",
            f"{board.clock_hz / 1e6:g} MHz",
            ", ".join(f"`{each.id}`" for each in emulated_boards(board)),
        )
        for board in boards
    ]
    return _table(("id", "what it is", "core", "flash", "RAM", "clock", "emulated as"), rows)


def _notes(boards: Iterable[Board]) -> str:
    lines = []
    for board in boards:
        notes = [board.platformio.note]
        if board.memory.constants_in_ram:
            notes.append("constants are copied to RAM at start, so that weights take both memories")
        if board.emulation_note:
            notes.append(f"emulated: {board.emulation_note}")
        if text := "; ".join(filter(None, notes)):
            lines.append(f"- `{board.id}`: {text}.")
    return "\n".join(lines) + "\n"


def _link_table(boards: Iterable[Board]) -> str:
    rows = []
    for board in boards:
        assert board.arduino is not None
        timer = "cycle counter" if board.timer.driver == "dwt" else "`micros()`"
        ids = ", ".join(f"`{usb}`" for usb in board.usb_ids) or "those of the adapter"
        rows.append((f"`{board.id}`", board.arduino.wire, timer, board.upload.protocol, ids))
    return _table(("id", "connect", "timer", "upload", "USB ids"), rows)


def _checked_table(boards: Iterable[Board]) -> str:
    rows = []
    for board in boards:
        checked = board.checked
        assert checked is not None
        theirs = f"{checked.flash:,}, {checked.ram:,}, {checked.clock_hz / 1e6:g} MHz"
        verdict = f"differs: {checked.because}" if checked.because else "same"
        where = f"{checked.repository} {checked.version[:12]} {checked.file}"
        project = f"`{board.platformio.package}`, `{board.platformio.board}`"
        rows.append((f"`{board.id}`", project, where, theirs, verdict, checked.built))
    titles = (
        "id",
        "PlatformIO's platform and board",
        "checked against",
        "flash, RAM, clock there",
        "here",
        "built with",
    )
    return _table(titles, rows)


def _framework_table(boards: Iterable[Board]) -> str:
    rows = []
    for board in boards:
        taken = board.memory.framework
        assert taken is not None
        assert board.checked is not None
        known = "measured" if board.checked.built.partition(": ")[2].startswith("linked") else ""
        row = (f"`{board.id}`", f"{taken.flash:,}", f"{taken.ram:,}", known or "estimated")
        rows.append(row)
    return _table(("id", "bytes of flash", "bytes of RAM", ""), rows)


if __name__ == "__main__":
    PAGE.write_text(boards_page(), encoding="utf-8")
