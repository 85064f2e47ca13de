"""The boards that Renode emulates, by short names."""

from __future__ import annotations

from tinyml_tool.boards import Board, load_board

NETDUINO = load_board("netduinoplus2")
DISCOVERY, NANO_33_BLE, NUCLEO_H743ZI = (
    load_board(f"renode-{name}") for name in ("disco_f407vg", "nano33ble", "nucleo_h743zi")
)
BOARDS: tuple[Board, ...] = (NETDUINO, DISCOVERY, NANO_33_BLE, NUCLEO_H743ZI)
