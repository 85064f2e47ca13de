"""Facts of a static library (`lib*.a`) for Arm: for which cores it is, and who compiled it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

_MAGIC = b"!<arch>\n"
_HEADER = 60
_SIZE = slice(48, 58)
_COMPILER = re.compile(rb"GCC: \([^)]*\) (\S+)|(clang version \S+)")

ARCHITECTURES = {
    11: "Armv6-M",
    12: "Armv6-M",
    10: "Armv7-M",
    13: "Armv7E-M",
    17: "Armv8-M",
    21: "Armv8.1-M",
}
"""Names of Tag_CPU_arch ("Addenda to, and Errata in, the ABI for the Arm Architecture")."""


class NotALibraryError(Exception):
    """The file is no static library, or holds nothing for Arm; the text tells what it is."""


@dataclass(frozen=True)
class StaticLibrary:
    """What the first object file of a library says."""

    path: Path
    architecture: str
    """One of ARCHITECTURES."""
    hard_float: bool
    """Whether functions take floats in FPU registers: calls to it must do the same."""
    compiler: str | None
    content: bytes

    def defines(self, symbol: str) -> bool:
        """Whether the library's index names `symbol`, as the linker knows it."""
        return symbol.encode() in self.content


def read_library(path: Path) -> StaticLibrary:
    """Read the library at `path`.  Raises NotALibraryError, or OSError."""
    content = path.read_bytes()
    if not content.startswith(_MAGIC):
        raise NotALibraryError("it is not a static library")
    for member in _members(content):
        if member.startswith(b"\x7fELF"):
            return _described(path, content, member)
    raise NotALibraryError("it holds no object files")


def _members(content: bytes) -> Iterator[bytes]:
    place = len(_MAGIC)
    while place + _HEADER <= len(content):
        digits = content[place : place + _HEADER][_SIZE].strip()
        if not digits.isdigit():
            raise NotALibraryError("it is damaged")
        start = place + _HEADER
        yield content[start : start + int(digits)]
        place = start + int(digits) + int(digits) % 2


def _described(path: Path, content: bytes, member: bytes) -> StaticLibrary:
    try:
        elf = ELFFile(BytesIO(member))
        attributes = _attributes(elf)
        comment = elf.get_section_by_name(".comment")
        found = _COMPILER.search(comment.data()) if comment else None
    except Exception as error:  # the parser reports damage by exceptions of many kinds
        raise NotALibraryError(f"it is damaged ({error})") from None
    architecture = ARCHITECTURES.get(attributes.get("TAG_CPU_ARCH", -1))
    if elf.header["e_machine"] != "EM_ARM" or architecture is None:
        raise NotALibraryError("it is not for a Cortex-M core")
    compiler = (found[1] or found[2]).decode(errors="replace") if found else None
    hard_float = attributes.get("TAG_ABI_VFP_ARGS", 0) == 1
    return StaticLibrary(path, architecture, hard_float, compiler, content)


def _attributes(elf: ELFFile) -> dict[str, int]:
    section: Any = elf.get_section_by_name(".ARM.attributes")
    if section is None:
        return {}
    return {
        attribute.tag: attribute.value
        for part in section.iter_subsections()
        for inner in part.iter_subsubsections()
        for attribute in inner.iter_attributes()
        if isinstance(attribute.value, int)
    }
