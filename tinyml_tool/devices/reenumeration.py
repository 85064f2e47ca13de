"""Waiting for a board whose port goes and comes back: USB numbers it anew after a reset."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tinyml_tool.boards import Board
from tinyml_tool.devices.port_names import PortTarget
from tinyml_tool.devices.ports import SerialPort, list_serial_ports, ports_of
from tinyml_tool.errors import PortError

SETTLED_SECONDS = 1.5
"""A port that was there all this time has not gone, and will not: it is that of a debug probe."""

STEADY_SECONDS = 0.3
"""How long a port that came back must be there before it is opened."""

TIME_LIMIT = 15.0
_POLL_SECONDS = 0.05


def wait_for_board(
    before: PortTarget | None,
    board: Board,
    *,
    listing: Callable[[], Sequence[SerialPort]] = list_serial_ports,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    time_limit: float = TIME_LIMIT,
) -> PortTarget:
    """The port of the board that was at `before` until its upload and reset.

    `before` is None where it had no port: then the one of its kind that appears is taken.  A
    native USB port vanishes and comes back, often under another name and with other USB ids than
    its boot loader had.  A port without USB facts (a URL, a pseudo-terminal) is taken as it is.
    Raises PortError where nothing comes back in time.
    """
    if before is not None and before.serial is None:
        return before
    known = before.serial if before else None
    started = clock()
    seen: SerialPort | None = None
    since, vanished = started, known is None
    while clock() - started < time_limit:
        now = _find(known, board, listing())
        if now is None or now != seen:
            vanished = vanished or (now is None and seen is not None) or (seen not in (None, now))
            seen, since = now, clock()
        elif clock() - since >= (STEADY_SECONDS if vanished else SETTLED_SECONDS):
            return PortTarget(now.device, board.id, board.uart.baud, serial=now)
        sleep(_POLL_SECONDS)
    raise PortError(
        f"{board.id} did not come back within {time_limit:g} s after the upload"
        + (f"; it was at {known.device}" if known else ""),
        hint="press its RESET button or plug it in again; `tinyml ports` shows what is there",
    )


def _find(
    before: SerialPort | None, board: Board, ports: Sequence[SerialPort]
) -> SerialPort | None:
    """The same board by serial number or socket; else the only one of its kind."""
    same = [port for port in ports if before is not None and port.same_board(before)]
    if same:
        return same[0]
    kind = ports_of(board, ports)
    return kind[0] if len(kind) == 1 else None
