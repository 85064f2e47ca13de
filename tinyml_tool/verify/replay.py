"""Raw samples through a device as if its sensor had sent them, by the fastest lane it has."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.errors import LinkError
from tinyml_tool.protocol import AnswerReply, Capability, ReplayFlag


@dataclass(frozen=True)
class Window:
    """One input that the device has made, and what the model said to it, as raw bytes."""

    features: bytes
    outputs: tuple[bytes, ...] = ()
    answer: AnswerReply | None = None
    """What these say, where the firmware tells it."""


@dataclass(frozen=True)
class Replay:
    """All windows of a row of samples."""

    windows: tuple[Window, ...]
    ticks: int
    """Of the preprocessing of all samples."""


def replay_samples(
    client: LinkClient, samples: NDArray[Any], *, run: bool = False, use_files: bool = True
) -> Replay:
    """Feed `samples` from anew; with `run`, the model runs on each complete input.

    Raises LinkError where the firmware has no preprocessing.
    """
    data = np.ascontiguousarray(samples, samples.dtype.newbyteorder("<")).tobytes()
    if Capability.FEATURES not in client.capabilities:
        raise LinkError(
            "the firmware has no preprocessing: it takes inputs of the model, no raw samples",
            hint="generate it with [features]",
        )
    if use_files and Capability.FILES in client.capabilities:
        with tempfile.TemporaryDirectory(prefix="tinyml-", ignore_cleanup_errors=True) as folder:
            return _by_files(client, data, Path(folder), run)
    return _by_wire(client, data, run)


def _by_files(client: LinkClient, data: bytes, folder: Path, run: bool) -> Replay:
    flags = ReplayFlag.FEATURES
    if run:
        flags |= ReplayFlag.OUTPUTS
        flags |= ReplayFlag.ANSWERS if Capability.ANSWER in client.capabilities else ReplayFlag(0)
    replayed = client.replay(data, folder, flags)
    windows = [
        Window(w.inputs[0], tuple(w.outputs), w.answer) for w in replayed.windows if w.inputs
    ]
    if len(windows) != len(replayed.windows):
        raise LinkError("the device left features out of its file")
    return Replay(tuple(windows), replayed.ticks)


def _by_wire(client: LinkClient, data: bytes, run: bool) -> Replay:
    client.start_features()
    tells = run and Capability.ANSWER in client.capabilities
    windows: list[Window] = []
    ticks, position = 0, 0
    while position < len(data):
        reply = client.push(data[position:])
        if reply.taken == 0:
            raise LinkError("the device takes no samples")
        position += reply.taken
        ticks += reply.ticks
        if reply.ready:
            features = client.read_input()
            outputs = client.run_pushed(reply).outputs if run else ()
            windows.append(Window(features, outputs, client.answer() if tells else None))
    return Replay(tuple(windows), ticks)
