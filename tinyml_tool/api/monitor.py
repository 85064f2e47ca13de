"""`monitor`: what a device prints and infers, as it happens."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tinyml_tool.api.labels import read_labels
from tinyml_tool.config import FILE_NAME, Config, read_config
from tinyml_tool.devices.inference_line import (
    DamagedInference,
    ReportedAnswer,
    ReportedInference,
    ReportedOutput,
)
from tinyml_tool.devices.port_names import PortTarget, find_port, only_port
from tinyml_tool.devices.port_watch import Faulted, Line, Lost, Opened, PortWatch, Seen
from tinyml_tool.errors import DeviceError, InputError
from tinyml_tool.firmware.manifest import FILE_NAME as MANIFEST
from tinyml_tool.firmware.manifest import read_manifest
from tinyml_tool.firmware.project_board import project_board
from tinyml_tool.preprocess.answer_spec import ClassesSpec, parse_answer

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class MonitorSource:
    """What to listen to, and what its classes are called."""

    target: PortTarget
    labels: tuple[str, ...] = ()
    elf: Path | None = None


@dataclass(frozen=True)
class MonitorEvent:
    """Something that happened on the device, with the time of this computer."""

    time: datetime
    seen: Seen

    def to_json(self, labels: Sequence[str] = ()) -> dict[str, Any]:
        """One line of `--json` and of a recording."""
        stamp = {"time": self.time.astimezone().isoformat(timespec="milliseconds")}
        match self.seen:
            case Opened(port):
                return {"event": "connected", **stamp, "port": port}
            case Lost(reason):
                return {"event": "disconnected", **stamp, "reason": reason}
            case Line(text):
                return {"event": "log", **stamp, "text": text}
            case DamagedInference(line):
                return {"event": "damaged", **stamp, "text": line}
            case Faulted(message, hint, details):
                facts = {"message": message, "hint": hint, "details": list(details)}
                return {"event": "fault", **stamp, **facts}
            case ReportedInference():
                return {"event": "inference", **stamp, **_inference_json(self.seen, labels)}


def _inference_json(inference: ReportedInference, labels: Sequence[str]) -> dict[str, Any]:
    return {
        "number": inference.number,
        "seconds": inference.seconds,
        "ticks": inference.ticks,
        "ticks_hz": inference.ticks_hz,
        "emulated": inference.emulated,
        "checked": inference.checked,
        "answer": _answer_json(inference.answer),
        "outputs": [
            {
                "size": output.size,
                "top": [
                    {
                        "index": value.index,
                        "label": label_of(output, value.index, labels),
                        "stored": _finite(value.stored),
                        "value": _finite(value.real),
                    }
                    for value in output.top
                ],
            }
            for output in inference.outputs
        ],
    }


def _answer_json(answer: ReportedAnswer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {
        "label": answer.label if answer.best is not None else None,
        "score": _finite(answer.score),
        "detected": answer.detected,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def label_of(output: ReportedOutput, index: int, labels: Sequence[str]) -> str | None:
    """The name of a class; None where the names are not those of this output."""
    return labels[index] if len(labels) == output.size and index < output.size else None


@dataclass
class MonitorStatistics:
    """What has been seen so far.  `latencies` is of real boards only, in seconds."""

    inferences: int = 0
    damaged: int = 0
    lines: int = 0
    garbled: int = 0
    """Of the lines, those that are no text."""
    faults: int = 0
    disconnects: int = 0
    latency_least: float = math.inf
    latency_most: float = 0.0
    latency_sum: float = 0.0
    latencies: int = 0
    started: float = field(default_factory=time.monotonic)

    def count(self, seen: Seen) -> None:
        """Take note of an event."""
        match seen:
            case Line(text=text):
                self.lines += 1
                self.garbled += text.count("\N{REPLACEMENT CHARACTER}") > len(text) / 8
            case DamagedInference():
                self.damaged += 1
            case Faulted():
                self.faults += 1
            case Lost():
                self.disconnects += 1
            case ReportedInference(seconds=seconds):
                self.inferences += 1
                self._count_latency(seconds)
            case Opened():
                pass

    def _count_latency(self, seconds: float | None) -> None:
        if seconds is None:
            return
        self.latencies += 1
        self.latency_sum += seconds
        self.latency_least = min(self.latency_least, seconds)
        self.latency_most = max(self.latency_most, seconds)

    @property
    def latency_mean(self) -> float | None:
        """Seconds; None where no inference told its time."""
        return self.latency_sum / self.latencies if self.latencies else None

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        told = self.latencies > 0
        return {
            "inferences": self.inferences,
            "damaged": self.damaged,
            "lines": self.lines,
            "faults": self.faults,
            "disconnects": self.disconnects,
            "seconds": round(time.monotonic() - self.started, 3),
            "latency": {
                "least": self.latency_least if told else None,
                "mean": self.latency_mean,
                "most": self.latency_most if told else None,
            },
        }


class Monitor:
    """A device that is listened to.  Use it in a `with`, which opens and closes the port."""

    def __init__(self, source: MonitorSource, *, baud: int | None = None) -> None:
        self.source = source
        self.labels = source.labels
        self.statistics = MonitorStatistics()
        self.connected = False
        self.port = source.target.name
        """Where the device is, or was last."""
        self._watch = PortWatch(source.target, baud=baud, elf=source.elf)
        self._first: list[MonitorEvent] = []

    def __enter__(self) -> Self:
        """Raises PortError with what to do about it."""
        self._first = self._events([self._watch.open()])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watch.close()

    def poll(self, timeout: float = _POLL_SECONDS) -> list[MonitorEvent]:
        """What has happened, waiting at most `timeout` seconds for something."""
        first, self._first = self._first, []
        return first or self._events(self._watch.poll(timeout))

    def send(self, line: str) -> bool:
        """Type a line to the firmware, such as `run`; False where it does not get there."""
        return self._watch.send(line)

    def _events(self, seen: Sequence[Seen]) -> list[MonitorEvent]:
        now = datetime.now()
        for item in seen:
            self.statistics.count(item)
            if isinstance(item, Opened | Lost):
                self.connected = isinstance(item, Opened)
            if isinstance(item, Opened):
                self.port = item.port
        return [MonitorEvent(now, item) for item in seen]


def monitor_source(name: str | None = None, *, labels: Path | None = None) -> MonitorSource:
    """What `name` means: a project, a port, a URL or a board's id; by default what is here.

    Raises InputError for a file of labels that cannot be used, PortError where nothing is there.
    """
    project = _project_called(name)
    if project is None:
        target = find_port(name) if name is not None else only_port()
        return MonitorSource(target, read_labels(labels) if labels else (), target.elf)
    board = project_board(project, read_manifest(project))
    config = read_config(project / FILE_NAME).config
    if labels is None and config.monitor.labels is not None:
        labels = project / config.monitor.labels
    elf = project / ".pio" / "build" / board.id / "firmware.elf"
    return MonitorSource(
        find_port(board.id, board),
        read_labels(labels) if labels else _answer_labels(config),
        elf if elf.is_file() else None,
    )


def _answer_labels(config: Config) -> tuple[str, ...]:
    """The classes that `[answer]` names; none for anomaly scores, whose outputs are no classes."""
    if config.answer is None:
        return ()
    spec = parse_answer(config.answer, "[answer]")
    return spec.labels if isinstance(spec, ClassesSpec) else ()


def _project_called(name: str | None) -> Path | None:
    """The folder of a generated project, where `name` is one, or nobody names anything else."""
    folder = Path() if name is None else Path(name)
    if (folder / MANIFEST).is_file():
        return folder
    if name is not None and folder.is_dir():
        read_manifest(folder)  # raises: a folder, but no project
    return None


def monitor(
    name: str | None = None,
    *,
    labels: str | Path | None = None,
    baud: int | None = None,
    count: int | None = None,
    duration: float | None = None,
) -> Iterator[MonitorEvent]:
    """Yield what a device prints and infers: for `duration` seconds, or `count` inferences.

        for event in monitor("qemu-m4", count=3):
            print(event.to_json())

    `name` is a port, a URL, a project, or the id of a board.  Raises PortError where it cannot be
    opened; a port that goes later is waited for.
    """
    if count is not None and count < 1:
        raise InputError(f"count is {count}, not 1 or more")
    source = monitor_source(name, labels=Path(labels) if labels is not None else None)
    with Monitor(source, baud=baud) as device:
        limits = MonitorLimits(count, duration)
        while not limits.reached(device.statistics):
            yield from device.poll()


@dataclass(frozen=True)
class MonitorLimits:
    """When to end by itself: after so many inferences, or so many seconds."""

    count: int | None = None
    duration: float | None = None

    def reached(self, statistics: MonitorStatistics) -> bool:
        """Whether it is time to end."""
        if self.count is not None and statistics.inferences >= self.count:
            return True
        spent = time.monotonic() - statistics.started
        return self.duration is not None and spent >= self.duration

    def failure(self, statistics: MonitorStatistics) -> DeviceError | None:
        """The error where the time is over before the inferences that were asked for."""
        if self.count is None or statistics.inferences >= self.count:
            return None
        if self.duration is None or not self.reached(statistics):
            return None
        few = f"{statistics.inferences} of {self.count} inferences in {self.duration:g} s"
        if not statistics.inferences and not statistics.lines:
            few += ": the board printed nothing"
        elif statistics.garbled > statistics.lines / 2:
            few += ": most of what the board sent is no text"
            return DeviceError(few, hint="another baud rate may be right: `--baud N`")
        return DeviceError(
            few,
            hint="the firmware as generated waits for commands: `--send run` makes it infer; see "
            "docs/monitor.md for how an application reports; `tinyml ports` shows the ports",
        )
