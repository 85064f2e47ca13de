"""Text of a device as lines that are safe to show: whatever arrives, in whatever pieces."""

from __future__ import annotations

import codecs

_LONGEST = 16 * 1024
_TAB = "\t"


class TextLines:
    """Puts pieces of text together to lines.

    Characters that a terminal would obey rather than show are replaced: a device cannot move the
    cursor or change colours.  A line ends with CR, LF or both, and after 16 K characters.
    """

    def __init__(self) -> None:
        self._open = ""
        self._after_cr = False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def open_line(self) -> str:
        """What arrived of a line whose end is missing."""
        return self._open

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes, without the empty ones."""
        lines = []
        for character in self._decoder.decode(data):
            second_of_crlf = character == "\n" and self._after_cr
            self._after_cr = character == "\r"
            if second_of_crlf:
                continue
            if character in "\r\n" or len(self._open) >= _LONGEST:
                lines.append(self.flush())
            if character == "\b":
                self._open = self._open[:-1]
            elif character not in "\r\n":
                self._open += _shown(character)
        return [line for line in lines if line.strip()]

    def flush(self) -> str:
        """Take the open line as it is."""
        line, self._open = self._open, ""
        return line


def _shown(character: str) -> str:
    if character == _TAB:
        return "  "
    return character if character.isprintable() else "\N{MIDDLE DOT}"
