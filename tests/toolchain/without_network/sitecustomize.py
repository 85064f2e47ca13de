"""Put on PYTHONPATH by tests: refuses and records every use of the network, and hides the tool.

The file named by NETWORK_LOG gets a line for each attempt; it stays empty in a build that needs
nothing from outside.
"""

import os
import socket
import sys


def _refuse(what):
    def attempt(*arguments, **_options):
        with open(os.environ["NETWORK_LOG"], "a") as log:  # noqa: PTH123
            log.write(f"{what} {arguments[-1]!r}\n")
        raise OSError("no network in this test")

    return attempt


class _HiddenTool:
    def find_spec(self, name, _path=None, _target=None):
        if name.split(".")[0] == "tinyml_tool":
            raise ModuleNotFoundError(f"no module named {name!r} in this test", name=name)


socket.getaddrinfo = _refuse("getaddrinfo")
socket.gethostbyname = _refuse("gethostbyname")
socket.create_connection = _refuse("create_connection")
socket.socket.connect = _refuse("connect")
socket.socket.connect_ex = _refuse("connect_ex")
sys.meta_path.insert(0, _HiddenTool())
