"""Inferences that the firmware reports in its text: `!inference ...`, or the answer to `run`.

The first is written by `firmware_templates/link/tinyml_report.c`: keys and values, and the CRC-32
of all before it.  The second is for people (`tinyml_console.c`): several lines, without checksum.
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from tinyml_tool.protocol import REPORT_MARK, ReportKey, TensorType

_MARK = f"{REPORT_MARK} "
_CRC_KEY = f" {ReportKey.CRC.value}="


@dataclass(frozen=True)
class ReportedValue:
    """One value of an output: its index, the number in memory, and what that means."""

    index: int
    stored: int | float
    real: float


@dataclass(frozen=True)
class ReportedOutput:
    """The values of an output that were told, the highest first; `size` is how many there are."""

    size: int
    top: tuple[ReportedValue, ...]


@dataclass(frozen=True)
class ReportedAnswer:
    """What the firmware says of an inference's outputs."""

    best: int | None
    """Class; None where an output is no number."""
    label: str
    score: float
    detected: bool
    """Whether it is detected now."""


@dataclass(frozen=True)
class ReportedInference:
    """What the firmware tells about one inference.

    `ticks` of `ticks_hz` is the time of model_invoke(), by the timer of an emulator where
    `emulated`.  `checked` is whether a checksum protected it.
    """

    ticks: int
    ticks_hz: int
    emulated: bool
    outputs: tuple[ReportedOutput, ...]
    answer: ReportedAnswer | None = None
    """What the outputs say, where the firmware tells it."""
    number: int | None = None
    """Counts from the reset of the device; None where the firmware does not count."""
    checked: bool = True

    @property
    def seconds(self) -> float | None:
        """Time of the inference on the device; None in an emulator, where it means nothing."""
        return None if self.emulated or not self.ticks_hz else self.ticks / self.ticks_hz


@dataclass(frozen=True)
class DamagedInference:
    """A line that began as a report but does not have its checksum."""

    line: str


def parse_inference_line(line: str) -> ReportedInference | DamagedInference | None:
    """Read a line of the firmware; None where it is no report.

    Text may stand before the report, as when a person was typing a command.
    """
    at = line.find(_MARK)
    if at < 0:
        return None
    covered, _, crc = line[at:].rstrip("\r\n").rpartition(_CRC_KEY)
    try:
        if not re.fullmatch(r"[0-9a-f]{8}", crc) or zlib.crc32(covered.encode()) != int(crc, 16):
            return DamagedInference(line[at:])
        return _inference(dict(word.split("=", 1) for word in covered.split(" ")[1:]))
    except (KeyError, ValueError):
        return DamagedInference(line[at:])


def _inference(values: Mapping[str, str]) -> ReportedInference:
    outputs: list[ReportedOutput] = []
    while _of(ReportKey.TOP, len(outputs)) in values:
        outputs.append(_output(values, len(outputs)))
    return ReportedInference(
        number=int(values[ReportKey.NUMBER.value]),
        ticks=int(values[ReportKey.TICKS.value]),
        ticks_hz=int(values[ReportKey.HZ.value]),
        emulated=values[ReportKey.EMULATED.value] == "1",
        outputs=tuple(outputs),
        answer=_answer(values),
    )


def _answer(values: Mapping[str, str]) -> ReportedAnswer | None:
    if ReportKey.BEST.value not in values:
        return None
    best = int(values[ReportKey.BEST.value])
    return ReportedAnswer(
        best=best if best >= 0 else None,
        label=unquote(values[ReportKey.LABEL.value], errors="strict"),
        score=_float_of_bits(values[ReportKey.SCORE.value]),
        detected=int(values[ReportKey.DETECTED.value]) >= 0,
    )


def _output(values: Mapping[str, str], output: int) -> ReportedOutput:
    is_float = values[_of(ReportKey.TYPE, output)] == TensorType.FLOAT32.meaning
    scale = _float_of_bits(values[_of(ReportKey.SCALE, output)])
    zero = int(values[_of(ReportKey.ZERO, output)])
    top = []
    for pair in filter(None, values[_of(ReportKey.TOP, output)].split(",")):
        index, _, text = pair.partition(":")
        stored = _float_of_bits(text) if is_float else int(text)
        quantized = scale > 0 and not is_float
        top.append(
            ReportedValue(int(index), stored, scale * (stored - zero) if quantized else stored)
        )
    return ReportedOutput(int(values[_of(ReportKey.SIZE, output)]), tuple(top))


def _of(key: ReportKey, output: int) -> str:
    return f"{key.value}{output}"


def _float_of_bits(digits: str) -> float:
    value: float = struct.unpack(">f", bytes.fromhex(digits))[0]
    return value


_VALUE = re.compile(r"output (\d+)\[(\d+)\] = (\S+(?: \* 2\^\d+)?)(?:  stored (-?\d+))?$")
_MORE = re.compile(r"\.\.\. and (\d+) more$")
_TIME = re.compile(r"time: (\d+) ticks at (\d+) Hz( \(emulated|, )")


class ConsoleRun:
    """Recognises the lines with which the text mode answers `run`.

    `feed` takes every line of the firmware, and gives an inference with the last one of an answer.
    """

    def __init__(self) -> None:
        self._values: dict[int, list[ReportedValue]] = {}
        self._more: dict[int, int] = {}

    def feed(self, line: str) -> ReportedInference | None:
        """Take note of the next line."""
        if value := _VALUE.match(line):
            output, index = int(value[1]), int(value[2])
            real = _real(value[3])
            values = self._values.setdefault(output, [])
            if index != len(values):  # the beginning is missing, or a line in between
                self._forget()
                return None
            stored = int(value[4]) if value[4] else real
            values.append(ReportedValue(index, stored, real))
        elif (more := _MORE.match(line)) and self._values:
            self._more[max(self._values)] = int(more[1])
        elif (time := _TIME.match(line)) and self._values:
            inference = self._finish(int(time[1]), int(time[2]), "emulated" in time[3])
            self._forget()
            return inference
        elif self._values:
            self._forget()
        return None

    def _finish(self, ticks: int, hz: int, emulated: bool) -> ReportedInference:
        outputs = tuple(
            ReportedOutput(
                len(values) + self._more.get(output, 0),
                tuple(sorted(values, key=lambda value: (-_order(value.real), value.index))),
            )
            for output, values in sorted(self._values.items())
        )
        return ReportedInference(ticks, hz, emulated, outputs, checked=False)

    def _forget(self) -> None:
        self._values = {}
        self._more = {}


def _real(text: str) -> float:
    """A number as the firmware prints it: decimal, `inf`, `nan`, or `3 * 2^70`."""
    number, _, power = text.partition(" * 2^")
    try:
        return float(number) * 2.0 ** int(power or 0)
    except (OverflowError, ValueError):
        return math.nan


def _order(value: float) -> float:
    return -math.inf if math.isnan(value) else value
