"""A robot server that speaks as Renode's does: XML-RPC with `get_keyword_names`, `run_keyword`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from xmlrpc.client import Fault
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

from fake_monitor import RefusedError

KEYWORDS = ["ResetEmulation", "StartEmulation", "ExecuteCommand", "ExecuteScript"]

Execute = Callable[[str], str]


class _Handler(SimpleXMLRPCRequestHandler):
    rpc_paths = ("/",)


class FakeRobotServer:
    """Answers on a port of the loopback interface, in a thread, until it is stopped."""

    def __init__(self, execute: Execute, port: int = 0) -> None:
        self._execute = execute
        self._server = SimpleXMLRPCServer(
            ("127.0.0.1", port), _Handler, logRequests=False, allow_none=False
        )
        self._server.register_function(lambda: KEYWORDS, "get_keyword_names")
        self._server.register_function(self._run_keyword, "run_keyword")
        self.port: int = self._server.server_address[1]
        self.thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _run_keyword(self, keyword: str, arguments: list[Any]) -> dict[str, Any]:
        if keyword not in KEYWORDS:
            raise Fault(1, f'Keyword "{keyword}" not found')
        if keyword != "ExecuteCommand" or len(arguments) != 1:
            raise Fault(2, f'Arguments types do not match any available keyword "{keyword}"')
        (command,) = arguments
        try:
            return {"return": self._execute(command), "status": "PASS"}
        except RefusedError as refusal:
            error = (
                f"KeywordException: Could not execute command '{command}': "
                f"There was an error executing command '{command}'{refusal}\n"
            )
            return {"status": "FAIL", "error": error, "traceback": "  at Antmicro.Renode...\n"}
