"""A file that is just enough of a firmware to be loaded."""

from __future__ import annotations

import struct
from pathlib import Path

_ARM = 40
_CODE = bytes(64)
_HEADER_BYTES, _SEGMENT_BYTES = 52, 32


def elf_file(path: Path, address: int) -> Path:
    """Write an ELF file of Arm code with one segment at `address`."""
    identity = b"\x7fELF" + bytes([1, 1, 1]) + bytes(9)
    header = struct.pack(
        "<HHIIIIIHHHHHH",
        *(2, _ARM, 1, address, _HEADER_BYTES, 0, 0x0500_0000),
        *(_HEADER_BYTES, _SEGMENT_BYTES, 1, 40, 0, 0),
    )
    offset = _HEADER_BYTES + _SEGMENT_BYTES
    segment = struct.pack("<IIIIIIII", 1, offset, address, address, len(_CODE), len(_CODE), 5, 4)
    path.write_bytes(identity + header + segment + _CODE)
    return path
