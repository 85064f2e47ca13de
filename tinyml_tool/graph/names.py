"""Names that come from a model file, made safe to print."""

from __future__ import annotations

MAX_CHARACTERS = 1000


def printable(stored: bytes | None) -> str:
    """The text of a name; what is not printable (control codes, bad UTF-8) becomes "?".

    A longer name than MAX_CHARACTERS is cut.
    """
    text = (stored or b"")[: 4 * MAX_CHARACTERS].decode("utf-8", errors="replace")
    return "".join(c if c.isprintable() and c != "\ufffd" else "?" for c in text[:MAX_CHARACTERS])
