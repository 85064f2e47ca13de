"""Run by test_no_orphans: starts an emulator, tells its process id, and waits to be ended."""

from __future__ import annotations

import signal
import sys
import time

from tinyml_tool.boards import load_board
from tinyml_tool.devices.qemu import QemuDevice


def main() -> None:
    # Tests under nohup would hand down that a hang-up is ignored.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    board, elf = sys.argv[1:]
    with QemuDevice(load_board(board), elf, arguments="hang") as device:
        print(device.pid, flush=True)
        time.sleep(60)


if __name__ == "__main__":
    main()
