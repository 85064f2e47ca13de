"""Talks to Renode's robot server: plain XML-RPC, no Robot Framework needed."""

from __future__ import annotations

import http.client
import re
import xmlrpc.client
from typing import Any
from xml.parsers.expat import ExpatError

from tinyml_tool.errors import DeviceError

_BEFORE_THE_REASON = re.compile(
    r"^(?:\w*Exception: )?(?:Could not execute command '.*?': )?"
    r"(?:There was an error executing command '.*?')?",
    re.DOTALL,
)
_FAILURES = (
    OSError,
    http.client.HTTPException,
    xmlrpc.client.Error,
    ExpatError,
    ValueError,
    TypeError,
)


class SilentServerError(Exception):
    """The server does not answer, or nothing sensible."""


class RobotServer:
    """The robot server of a running Renode, on a port of the loopback interface."""

    def __init__(self, port: int, *, timeout: float) -> None:
        """`timeout`: seconds to wait for each answer."""
        self.port = port
        self._proxy = xmlrpc.client.ServerProxy(
            f"http://127.0.0.1:{port}/", transport=_Transport(timeout), allow_none=True
        )

    def keywords(self) -> tuple[str, ...]:
        """The keywords it knows.  Raises SilentServerError while it does not answer."""
        names = self._call("get_keyword_names")
        if not isinstance(names, list):
            raise SilentServerError("it does not name its keywords")
        return tuple(map(str, names))

    def execute(self, command: str) -> str:
        """Run a command of Renode's monitor; what it printed.

        Raises DeviceError with Renode's words where it refuses, SilentServerError where it does
        not answer.
        """
        answer = self._call("run_keyword", "ExecuteCommand", [command])
        status = answer.get("status") if isinstance(answer, dict) else None
        if status == "PASS":
            return str(answer.get("return", "")).strip()
        if status != "FAIL":
            raise SilentServerError(f"it answers {str(answer)[:80]!r}")
        raise _refusal(command, str(answer.get("error", "")))

    def close(self) -> None:
        """Close the connection.  May be called twice."""
        self._proxy("close")()

    def _call(self, method: str, *arguments: object) -> Any:  # noqa: ANN401 - any XML-RPC value
        try:
            return getattr(self._proxy, method)(*arguments)
        except _FAILURES as error:
            raise SilentServerError(str(error) or type(error).__name__) from None


class _Transport(xmlrpc.client.Transport):
    """HTTP with a time limit."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout = timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ANN401 - as inherited
        connection = super().make_connection(host)
        connection.timeout = self._timeout
        return connection


def _refusal(command: str, text: str) -> DeviceError:
    lines = [line.rstrip() for line in _BEFORE_THE_REASON.sub("", text).splitlines()]
    lines = [line for line in lines if line] or ["no reason given"]
    return DeviceError(f"Renode refuses `{command}`: {lines[0]}", details=lines[1:])
