"""Progress messages that tell a share, such as `epoch 3 of 50, 5 %`, with a bar before them."""

from __future__ import annotations

import re

_WIDTH = 24
_SHARE = re.compile(r"\b(\d{1,3}) %")


def with_bar(text: str) -> str:
    """`text` with a bar of its first percentage, where it has one.

    >>> with_bar("half, 50 %")
    '━━━━━━━━━━━━──────────── half, 50 %'
    """
    found = _SHARE.search(text)
    if found is None or int(found.group(1)) > 100:
        return text
    full = int(found.group(1)) * _WIDTH // 100
    return f"{'━' * full}{'─' * (_WIDTH - full)} {text}"
