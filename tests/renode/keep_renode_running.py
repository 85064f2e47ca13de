"""Run by a test: starts Renode, tells its process id, and waits to be ended."""

from __future__ import annotations

import sys
import time

from tinyml_tool.boards import load_board
from tinyml_tool.devices.renode import RenodeDevice


def main() -> None:
    with RenodeDevice(load_board("netduinoplus2"), sys.argv[1]) as device:
        print(device.pid, flush=True)
        time.sleep(60)


if __name__ == "__main__":
    main()
