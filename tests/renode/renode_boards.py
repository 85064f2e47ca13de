"""Boards of these tests: the one in the package, and three more as board files would have them."""

from __future__ import annotations

from pathlib import Path

from tinyml_tool.boards import Board, board_from_toml, load_board

_FILES = Path(__file__).parent / "boards"

NETDUINO = load_board("netduinoplus2")
DISCOVERY, NANO_33_BLE, NUCLEO_H743ZI = (
    board_from_toml((_FILES / f"renode-{name}.toml").read_text(), name)
    for name in ("disco-f407vg", "nano33ble", "nucleo-h743zi")
)
BOARDS: tuple[Board, ...] = (NETDUINO, DISCOVERY, NANO_33_BLE, NUCLEO_H743ZI)
