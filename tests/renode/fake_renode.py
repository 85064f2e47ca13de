"""The program `renode` of these tests: its options, its robot server, its ways to fail.

FAKE_RENODE names the behaviour, FAKE_RENODE_FIRMWARE the program that plays the firmware's part.
"""

from __future__ import annotations

import os
import shlex
import socket
import sys
import threading
import time
from pathlib import Path

from fake_monitor import Monitor
from fake_robot import FakeRobotServer

FLAGS = {"--disable-gui", "--disable-xwt", "--hide-log", "--plain"}
SINCE_1_15 = "--disable-gui"
VALUES = {"--pid-file", "--robot-server-port"}


def options(arguments: list[str], known: set[str]) -> dict[str, str]:
    """Renode's own reading of its command line: it ends, with success, at what it does not know."""
    found: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        if argument in VALUES:
            found[argument] = next(rest)
        elif argument in known:
            found[argument] = ""
        else:
            print(
                f"Unexpected options detected: {argument}\n\nusage: Renode.exe [options] [script]"
            )
            sys.exit(0)
    return found


def main() -> None:
    behaviour = os.environ.get("FAKE_RENODE", "")
    given = options(sys.argv[1:], FLAGS - ({SINCE_1_15} if behaviour == "old" else set()))
    assert not sys.stdin.read()
    Path(given["--pid-file"]).write_text(str(os.getpid()))
    port = int(given["--robot-server-port"])
    if behaviour == "crash":
        sys.exit("Fatal error:\nCannot find libgtk-x11-2.0.so\n  at Gtk.Application.Init ()")
    if behaviour == "silent":
        time.sleep(60)
    if behaviour == "strange":
        with socket.create_server(("127.0.0.1", port)) as listener:
            while True:
                listener.accept()[0].sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")
    directory = Path.cwd()
    firmware = os.environ.get("FAKE_RENODE_FIRMWARE", "cat")
    monitor = Monitor(directory, shlex.split(firmware))
    execute = monitor.execute
    if behaviour == "dies at start":
        execute = lambda command: os._exit(9) if command == "start" else monitor.execute(command)  # noqa: E731
    if behaviour == "chatty":
        threading.Thread(target=lambda: [print("!" * 4095) for _ in range(64)]).start()
    try:
        server = FakeRobotServer(execute, port)
    except OSError:  # the port is in use: Renode says nothing
        sys.exit(0)
    server.thread.join()


if __name__ == "__main__":
    main()
