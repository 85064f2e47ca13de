"""The Renode side of a project: platform description, a script to open by hand, a robot test."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_tool.boards import Board, RenodePart
from tinyml_tool.firmware.templates import render

SCRIPT_PORT = 3456
"""TCP port of the serial port when a person opens the script."""

_MIPS = 125
_CLOCK_FACTOR = 8
"""With 8 ns an instruction, 64 ns of the firmware's time: a power of two, as the link's
calibration expects of an emulator that counts instructions."""


@dataclass(frozen=True)
class _Part:
    """A peripheral as the template writes it."""

    name: str
    type: str
    place: str
    options: tuple[str, ...]
    irq: int | None


def renode_files(board: Board, *, name: str, model_hash: str) -> dict[str, str]:
    """Relative path to text of the files below `renode/`; none where Renode has no such board.

    `name` is the project's; the robot test expects the firmware to tell `model_hash`.
    """
    if board.renode is None:
        return {}
    values = {"board": board, "name": name, "port": SCRIPT_PORT, "model_hash": model_hash}
    return {
        f"renode/{board.id}.repl": renode_platform(board),
        f"renode/{board.id}.resc": render("renode/machine.resc.j2", **values),
        f"renode/{board.id}.robot": render("renode/firmware.robot.j2", **values),
    }


def renode_platform(board: Board) -> str:
    """The `.repl` of a board that Renode emulates: memory, core, and what the firmware touches."""
    assert board.renode is not None, f"{board.id} has no [renode]"
    timer_hz = board.timer.hz if board.timer.driver == "systick" else board.clock_hz
    return render(
        "renode/platform.repl.j2",
        board=board,
        mips=_MIPS,
        clock_factor=_CLOCK_FACTOR,
        systick_hz=_CLOCK_FACTOR * timer_hz,
        parts=_parts(board),
    )


def renode_reset_script(board: Board) -> str:
    """A script that loads the firmware `$elf`, now and whenever the firmware resets the chip."""
    return render("renode/reset.resc.j2", board=board)


def _parts(board: Board) -> list[_Part]:
    renode = board.renode
    assert renode is not None
    parts = [_part("uart", renode.uart, board.uart.base, board.uart.irq)]
    if renode.timer is not None:
        hz = renode.timer.hz
        clock = () if hz is None else (f"frequency: {_CLOCK_FACTOR * hz}",)
        parts.append(_part("timer", renode.timer, board.timer.base, None, clock))
    parts += [_part(name, p, p.base, p.irq) for name, p in renode.peripherals.items()]
    return parts


def _part(
    name: str, part: RenodePart, base: int, irq: int | None, options: tuple[str, ...] = ()
) -> _Part:
    place = f"0x{base:08X}" if part.size is None else f"<0x{base:08X}, +0x{part.size:X}>"
    given = tuple(f"{key}: {_value(value)}" for key, value in part.options.items())
    return _Part(name, part.type, place, options + given, irq)


def _value(value: bool | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
