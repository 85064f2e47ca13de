"""A search's journal: one JSON line for each candidate that was judged."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tinyml_tool.errors import InputError


class Journal:
    """Appends lines that survive a crash; a line cut off by one is dropped when read."""

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        """Open or begin the journal.  Raises InputError where it is of another search."""
        self._path = path
        self.entries: list[dict[str, Any]] = []
        wanted = json.loads(json.dumps(header))
        lines = _lines(path)
        if lines and lines[0] != wanted:
            different = sorted(
                key for key in {*wanted, *lines[0]} if wanted.get(key) != lines[0].get(key)
            )
            raise InputError(
                f"the interrupted search was another one: {', '.join(different)} differ",
                hint="use the same data and settings, or begin anew with --force",
            )
        self.entries = lines[1:]
        text = "".join(json.dumps(line) + "\n" for line in [wanted, *self.entries])
        path.write_text(text)

    def add(self, entry: Mapping[str, Any]) -> None:
        """Append one line, on disk before this returns."""
        self.entries.append(json.loads(json.dumps(entry)))
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    found = []
    for line in path.read_text().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found
