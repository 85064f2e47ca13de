"""What the engine tells its parent: one JSON object a line on the standard output it was given."""

from __future__ import annotations

import json
import os
from typing import IO, Any


class EngineError(Exception):
    """A failure the user can mend; `kind` is `input`, `memory` or `missing`."""

    def __init__(self, kind: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint


class Messages:
    """Takes standard output for messages alone; what libraries print goes to standard error."""

    def __init__(self) -> None:
        self._out: IO[str] = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def send(self, event: str, **facts: Any) -> None:  # noqa: ANN401
        """Tell `event`; NaN is told as null."""
        self._out.write(json.dumps({"event": event, **_plain(facts)}, allow_nan=False) + "\n")
        self._out.flush()


def _plain(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    return value
