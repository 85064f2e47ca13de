"""Where the tool keeps what it can make again: environments, compiled features and the like."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(*parts: str) -> Path:
    """A place in the user's cache folder of the tool; it need not exist yet."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root, "tinyml", *parts)
