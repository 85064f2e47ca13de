"""The device's codec and number printer, called from Python."""

from __future__ import annotations

import ctypes
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from link_device import WARNINGS, write_link_headers

from tinyml_tool.resources import data_folder

PAYLOAD_BYTES = 1024
_HERE = Path(__file__).parent
_SOURCES = ("tinyml_frame.c", "tinyml_crc32.c", "tinyml_wire.c", "tinyml_print.c")

Event = tuple[str, bytes]
"""('frame', header and payload), ('text', data) or ('damaged', b'')."""

_NAMES = {"T": "text", "F": "frame", "D": "damaged"}


def join_text(events: list[Event]) -> list[Event]:
    """Neighbouring pieces of text as one."""
    joined: list[Event] = []
    for name, data in events:
        if name == "text" and joined and joined[-1][0] == "text":
            joined[-1] = ("text", joined[-1][1] + data)
        else:
            joined.append((name, data))
    return joined


@dataclass(frozen=True)
class Probe:
    library: ctypes.CDLL

    def receive(self, stream: bytes) -> list[Event]:
        """What the device makes of a byte stream."""
        records = ctypes.create_string_buffer(16 * len(stream) + 16)
        size = self.library.probe_receive(stream, ctypes.c_size_t(len(stream)), records)
        events: list[Event] = []
        position = 0
        while position < size:
            code, length = struct.unpack_from("<cI", records.raw, position)
            position += 5
            events.append((_NAMES[code.decode()], records.raw[position : position + length]))
            position += length
        return join_text(events)

    def send(self, frame: bytes) -> bytes:
        """What the device puts on the wire for header and payload."""
        wire = ctypes.create_string_buffer(2 * len(frame) + 64)
        size = self.library.probe_send(frame, ctypes.c_size_t(len(frame)), wire)
        return wire.raw[:size]

    def print_real(self, factor: int, scale: float) -> str:
        text = ctypes.create_string_buffer(256)
        size = self.library.probe_print_real(ctypes.c_int64(factor), ctypes.c_float(scale), text)
        return text.raw[:size].decode()

    def print_int(self, value: int) -> str:
        text = ctypes.create_string_buffer(64)
        size = self.library.probe_print_int(ctypes.c_int64(value), text)
        return text.raw[:size].decode()

    def crc32(self, crc: int, data: bytes) -> int:
        value = self.library.probe_crc32(ctypes.c_uint32(crc), data, ctypes.c_size_t(len(data)))
        return int(value) % 2**32


def build_probe(directory: Path) -> Probe:
    """Compile with warnings as errors; undefined behaviour traps."""
    templates = data_folder("firmware_templates")
    write_link_headers(directory, PAYLOAD_BYTES)
    includes = [directory, templates / "link", templates / "port"]
    sources = [_HERE / "probe" / "probe.c", *(templates / "link" / name for name in _SOURCES)]
    library = directory / "probe.so"
    command = ["gcc", "-std=c11", "-O1", "-shared", "-fPIC", "-fsanitize=undefined"]
    command += ["-fsanitize-undefined-trap-on-error", *WARNINGS, "-o", str(library)]
    command += [f"-I{folder}" for folder in includes]
    command += [str(source) for source in sources]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    loaded = ctypes.CDLL(str(library))
    for name in ("probe_receive", "probe_send", "probe_print_real", "probe_print_int"):
        getattr(loaded, name).restype = ctypes.c_size_t
    loaded.probe_crc32.restype = ctypes.c_uint32
    return Probe(loaded)
