"""A strict client of the MLPerf Tiny runner's protocol: every line of every reply is checked.

Written from the published protocol: commands end with `%` and have at most 80 characters, replies
are lines that end with CR LF, the last of which is `m-ready`.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from tinyml_tool.devices.device import ByteStream

PROFILE = "ULPMark for tinyML Firmware V0.0.1"
MODELS = ("kws01", "vww01", "ad01", "ic01")
BYTES_A_COMMAND = 31
_SECONDS = 60.0


class DeviceRefusedError(Exception):
    """The device answered `e-[...]`; the text between the brackets."""


@dataclass(frozen=True)
class Inference:
    results: tuple[str, ...]
    """Numbers, as they were printed."""
    microseconds: int


class RunnerClient:
    """Talks as the runner does.  Any deviation from the protocol is an AssertionError."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._waiting = b""

    def boot(self) -> int:
        """What a device says when it starts; its time in microseconds."""
        lines = self._reply()
        while lines and not lines[0].startswith("m-"):
            del lines[0]  # the firmware's own greeting
        mode, lap, done = lines
        assert (mode, done) == ("m-timestamp-mode-performance", "m-init-done")
        return lap_of(lap)

    def name(self) -> str:
        (line,) = self._command("name")
        return one_group(r"m-name-dut-\[([^]]+)\]", line)

    def model(self) -> str:
        profile, model = self._command("profile")
        assert profile == f"m-profile-[{PROFILE}]"
        return one_group(rf"m-model-\[({'|'.join(MODELS)})\]", model)

    def timestamp(self) -> int:
        (line,) = self._command("timestamp")
        return lap_of(line)

    def help(self) -> list[str]:
        first, *rest = self._command("help")
        assert first == PROFILE
        return rest

    def load(self, data: bytes) -> None:
        assert self._command(f"db load {len(data)}") == [f"m-[Expecting {len(data)} bytes]"]
        for start in range(0, len(data), BYTES_A_COMMAND):
            piece = data[start : start + BYTES_A_COMMAND]
            last = start + BYTES_A_COMMAND >= len(data)
            assert self._command(f"db {piece.hex()}") == (["m-load-done"] if last else [])

    def loaded(self, arguments: str = "") -> bytes:
        """What `db print` shows."""
        lines = self._command(f"db print {arguments}".strip())
        pieces = [one_group(r"m-buffer-([0-9a-f]{2}(?:-[0-9a-f]{2}){0,7})", line) for line in lines]
        return bytes.fromhex("".join(pieces).replace("-", ""))

    def infer(self, times: int = 1, warmups: int = 0) -> Inference:
        begin, warm, start, before, after, done, results = self._command(f"infer {times} {warmups}")
        assert begin == f"m-warmup-start-{warmups}"
        assert warm == "m-warmup-done"
        assert start == f"m-infer-start-{times}"
        assert done == "m-infer-done"
        microseconds = lap_of(after) - lap_of(before)
        assert microseconds >= 0
        return Inference(results_of(results), microseconds)

    def results(self) -> tuple[str, ...]:
        (line,) = self._command("results")
        return results_of(line)

    def refusal(self, command: str) -> str:
        """Why the device refuses a command that it must refuse."""
        try:
            lines = self._command(command)
        except DeviceRefusedError as error:
            return str(error)
        raise AssertionError(f"{command!r} was answered {lines}")

    def _command(self, text: str) -> list[str]:
        self._stream.write(f"{text}%".encode("ascii"))
        lines = self._reply()
        if len(lines) == 1 and lines[0].startswith("e-"):
            raise DeviceRefusedError(one_group(r"e-\[(.*)\]", lines[0]))
        assert not [line for line in lines if line.startswith("e-")], lines
        return lines

    def _reply(self) -> list[str]:
        """The lines before `m-ready`."""
        lines: list[str] = []
        while (line := self._line()) != "m-ready":
            lines.append(line)
        assert not self._waiting, self._waiting
        return lines

    def _line(self) -> str:
        give_up = time.monotonic() + _SECONDS
        while b"\n" not in self._waiting:
            assert time.monotonic() < give_up, f"no end of a line: {self._waiting!r}"
            self._waiting += self._stream.read(4096, 1.0)
        line, _, self._waiting = self._waiting.partition(b"\n")
        assert line.endswith(b"\r"), line
        return line[:-1].decode("ascii")


def one_group(pattern: str, line: str) -> str:
    match = re.fullmatch(pattern, line)
    assert match, f"{line!r} is not {pattern}"
    return match.group(1)


def lap_of(line: str) -> int:
    return int(one_group(r"m-lap-us-([0-9]+)", line))


def results_of(line: str) -> tuple[str, ...]:
    number = r"-?[0-9]+(?:\.[0-9]+)?"
    return tuple(one_group(rf"m-results-\[({number}(?:,{number})*)\]", line).split(","))
