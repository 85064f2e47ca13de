"""Speech made by eSpeak NG, whose library and voices come in the package espeakng-loader."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import ToolMissingError

RATE = 22_050
"""Samples a second that the library makes."""
ACCENTS = ("en-us", "en-us-nyc", "en-gb-x-rp", "en-gb-scotland", "en-029")

# Of espeak-ng/speak_lib.h.
_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_RATE, _PITCH = 1, 3
_LIBRARY = {"win32": "espeak-ng.dll", "darwin": "libespeak-ng.dylib"}
_Received = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class Synthesizer:
    """Says words.  One at a time: the library keeps its state in global variables."""

    def __init__(self, package: Path) -> None:
        """`package` is the folder `espeakng_loader`.  Raises ToolMissingError."""
        self._data = package / "espeak-ng-data"
        path = package / _LIBRARY.get(sys.platform, "libespeak-ng.so")
        try:
            self._library = ctypes.CDLL(str(path))
        except OSError as error:
            raise ToolMissingError(
                f"{path}: cannot be loaded: {error}",
                hint="espeakng-loader has builds for Linux, macOS and Windows on x86-64 and Arm",
            ) from None
        self._pieces: list[NDArray[np.int16]] = []
        self._callback = _Received(self._receive)  # kept: the library calls it later
        rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, str(self._data).encode(), 0)
        if rate != RATE:
            raise ToolMissingError(f"{path}: gives {rate} samples a second, not {RATE}")
        self._library.espeak_SetSynthCallback(self._callback)

    @property
    def voices(self) -> list[str]:
        """Names of the voices, in a fixed order.

        Without those that breathe: the library's breath is not the same in every process.
        """
        files = (self._data / "voices" / "!v").iterdir()
        return sorted(file.name for file in files if b"\nbreath" not in file.read_bytes())

    def say(
        self, text: str, voice: str, accent: str, *, words_a_minute: int, pitch: int
    ) -> NDArray[np.int16]:
        """The sound of `text`; pitch 0 to 99, 50 is usual.  Raises ToolMissingError for a voice."""
        if self._library.espeak_SetVoiceByName(f"{accent}+{voice}".encode()) != 0:
            raise ToolMissingError(f"eSpeak NG has no voice '{voice}' with accent '{accent}'")
        self._library.espeak_SetParameter(_RATE, words_a_minute, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._pieces = [np.zeros(0, np.int16)]
        content = text.encode()
        self._library.espeak_Synth(
            content, ctypes.c_size_t(len(content) + 1), 0, 1, 0, _CHARS_UTF8, None, None
        )
        return np.concatenate(self._pieces)

    def _receive(self, samples: Any, count: int, events: object) -> int:
        del events
        if count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0
