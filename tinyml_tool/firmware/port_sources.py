"""Which files of `firmware_templates/port/` a board needs."""

from __future__ import annotations

from tinyml_tool.boards import Board

PORT_FOLDER = "port"
"""Below `lib/`: the port of the board that a project is emulated as."""

RENODE_PORT_FOLDER = "port_renode"
"""Below `lib/`: that of a second one, which Renode runs in place of a real board."""

_EVERY_BOARD = (
    "cortex_m.h",
    "drivers.h",
    "exit.c",
    "fault.c",
    "link.ld.j2",
    "port.h",
    "port_config.h.j2",
    "receive.c",
    "semihosting.c",
    "semihosting.h",
    "send.c",
    "spin.c",
    "stack.c",
    "startup.c",
)


def port_sources(board: Board) -> tuple[str, ...]:
    """Names of the files that make up the port of `board`, sorted, below `port/`.

    A name that ends in `.j2` is a template, to be rendered with `board` (the Board) and
    `stack_bytes` (int, a multiple of 8) to the same name without that ending.
    """
    own = (
        f"chip_{board.chip}.c",
        f"timer_{board.timer.driver}.c",
        f"uart_{board.uart.driver}.c",
    )
    return tuple(sorted((*_EVERY_BOARD, *own)))
