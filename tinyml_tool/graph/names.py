"""Names that come from a model file, made safe to print."""

from __future__ import annotations

MAX_CHARACTERS = 1000
_SHOWN = 48
"""Converters join the names of fused layers; the beginning is enough to find a tensor."""


def printable(stored: bytes | None) -> str:
    """The text of a name; what is not printable (control codes, bad UTF-8) becomes "?".

    A longer name than MAX_CHARACTERS is cut.
    """
    text = (stored or b"")[: 4 * MAX_CHARACTERS].decode("utf-8", errors="replace")
    return "".join(c if c.isprintable() and c != "\ufffd" else "?" for c in text[:MAX_CHARACTERS])


def tensor_name(index: int, name: str) -> str:
    """How messages name a tensor, such as "tensor 7 'logits'"."""
    if not name:
        return f"tensor {index}"
    shown = name if len(name) <= _SHOWN else name[: _SHOWN - 3] + "..."
    return f"tensor {index} '{shown}'"
