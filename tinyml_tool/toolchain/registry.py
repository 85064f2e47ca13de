"""PlatformIO's registry: whether a project needs it, and whether it can be reached.

PlatformIO itself tries for a minute and then fails without a word, so this looks before.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from tinyml_tool.boards import Board
from tinyml_tool.errors import ToolMissingError

SECONDS = 1.8
"""How long one may wait for the registry: the error must come within three seconds."""

Ask = Callable[[str, float], None]
"""Asks an address, within so many seconds.  Raises an exception where nobody answers."""


def require_platform(
    project: Path,
    board: Board,
    core: Path,
    *,
    reachable: Callable[[], bool] | None = None,
) -> None:
    """Raise ToolMissingError where the board's platform must be downloaded and cannot be.

    `core` is the folder in which PlatformIO keeps what it has installed.
    """
    platform = board.platformio.platform
    if (project / "platforms" / platform).is_dir() or is_installed(platform, core):
        return
    if (reachable or registry_is_reachable)():
        return
    raise ToolMissingError(
        f"board '{board.id}' needs PlatformIO's platform '{platform}', which is not installed, and "
        "the PlatformIO registry cannot be reached",
        hint="connect to the internet (behind a proxy: set HTTPS_PROXY) and try again; once it is "
        "installed, no network is needed",
    )


def is_installed(platform: str, core: Path) -> bool:
    """Whether PlatformIO has the development platform of that name in `core`."""
    name = platform.partition("@")[0].strip().rpartition("/")[2]
    for description in (core / "platforms").glob("*/platform.json"):
        try:
            if json.loads(description.read_text(encoding="utf-8")).get("name") == name:
                return True
        except (OSError, ValueError, AttributeError):
            continue
    return False


def registry_is_reachable(
    addresses: Sequence[str] | None = None, ask: Ask | None = None, seconds: float = SECONDS
) -> bool:
    """Whether one of the registry's servers answers within `seconds`, whatever the network does.

    All are asked at once, in threads: a name server that is silent cannot be interrupted.
    """
    answers: SimpleQueue[bool] = SimpleQueue()
    asked = registry_addresses() if addresses is None else addresses
    for address in asked:
        Thread(target=_try, args=(address, ask or _ask, seconds, answers), daemon=True).start()
    deadline = time.monotonic() + seconds
    for _ in asked:
        try:
            if answers.get(timeout=max(deadline - time.monotonic(), 0)):
                return True
        except Empty:
            return False
    return False


def registry_addresses() -> tuple[str, ...]:
    """Where PlatformIO's client looks for packages."""
    import platformio

    return tuple(f"https://api.{host}/" for host in platformio.__registry_mirror_hosts__)


def _try(address: str, ask: Ask, seconds: float, answers: SimpleQueue[bool]) -> None:
    try:
        ask(address, seconds)
    except Exception:  # whatever a network can do: no name, no route, a wrong certificate
        answers.put(False)
    else:
        answers.put(True)


def _ask(address: str, seconds: float) -> None:
    """Any answer will do, as long as its certificate is right; proxies are respected."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    try:
        urlopen(Request(address, method="HEAD"), timeout=seconds).close()
    except HTTPError:  # "not found" is an answer, too
        return
