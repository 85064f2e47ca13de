"""`features check`: prove on the device that it computes the features the training has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.api.project import Project, open_project
from tinyml_tool.api.session import (
    EmulatorName,
    Session,
    board_emulated_by,
    choose_emulator,
    open_session,
)
from tinyml_tool.errors import InputError, MismatchError
from tinyml_tool.preprocess.model_plan import plan_for_model
from tinyml_tool.preprocess.plan import FeaturePlan
from tinyml_tool.toolchain.build import System, build_project
from tinyml_tool.toolchain.features_binding import FeatureStream
from tinyml_tool.verify.made_samples import made_samples, samples_for
from tinyml_tool.verify.raw_samples import read_samples
from tinyml_tool.verify.replay import replay_samples

VALUES = 20_000


@dataclass(frozen=True)
class Difference:
    """A value of the model's input that the device computes in another way."""

    source: str
    window: int
    place: int
    host: float
    device: float


@dataclass(frozen=True)
class FeatureCheck:
    """What was compared with the host, and what the preprocessing costs on the device."""

    board: str
    ran_on: str
    features: str
    """What they are."""
    features_sha256: str
    windows: int
    values_compared: int
    values_different: int
    first_difference: Difference | None
    ram_bytes: int
    constant_bytes: int
    instructions_first_window: int | None
    """From the first sample to the first complete input; None where nothing counts them."""
    instructions_per_window: int | None
    """For each further input of the model."""

    @property
    def exact(self) -> bool:
        """Whether something was compared and nothing differs."""
        return self.values_compared > 0 and self.values_different == 0

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {**asdict(self), "exact": self.exact}


def check_features(
    project: str | Path = ".",
    *,
    inputs: Sequence[str | Path] = (),
    values: int = VALUES,
    seed: int = 0,
    port: str | None = None,
    emulator: EmulatorName | None = None,
    system: System = "platformio",
    time_limit: float | None = None,
    progress: Progress = no_progress,
) -> FeatureCheck:
    """Compare the features of raw samples on the device with the host's, bit for bit.

    `inputs` are files of samples; without any, samples are made for at least `values` features.
    Differences are not raised: they are told.  Raises InputError where the project has no features
    or a file does not fit, and what building and the device raise.
    """
    opened = open_project(project)
    plan = _plan(opened)
    emulator = choose_emulator(opened.board, emulator, port)
    sources = _sources(plan, inputs, values, seed)
    stream = FeatureStream(plan)

    def elf() -> Path:
        emulated = board_emulated_by(opened.board, emulator)
        return build_project(
            opened.folder, opened.board, system, emulated=emulated, progress=progress
        ).elf

    with open_session(
        opened, elf=elf, port=port, emulator=emulator, time_limit=time_limit
    ) as session:
        found: list[Difference] = []
        windows, different = 0, 0
        for name, samples in sources:
            progress(f"comparing the features of {name}")
            host = stream.extract(samples)
            device = _on_device(session, samples, host)
            windows += len(host)
            different += int(np.count_nonzero(_bits(host) != _bits(device)))
            found += _first_difference(name, host, device)
        progress("measuring")
        first, further = _cost(session, plan)
        ran_on = session.runner.hello.board
    return FeatureCheck(
        board=opened.board.id,
        ran_on=ran_on,
        features=plan.comment,
        features_sha256=plan.hash,
        windows=windows,
        values_compared=windows * plan.values,
        values_different=different,
        first_difference=found[0] if found else None,
        ram_bytes=plan.ram_bytes,
        constant_bytes=plan.constant_bytes,
        instructions_first_window=first,
        instructions_per_window=further,
    )


def _plan(project: Project) -> FeaturePlan:
    if project.features is None:
        raise InputError(
            f"{project.folder}: was generated without [features]",
            hint="write a table [features] into tinyml.toml, or use a model that brings its own",
        )
    return plan_for_model(project.features, project.source.graph)


def _sources(
    plan: FeaturePlan, files: Sequence[str | Path], values: int, seed: int
) -> list[tuple[str, NDArray[Any]]]:
    """(name, samples) of every stream to compare; each completes at least one window."""
    if not files:
        count = samples_for(plan.spec, -(-values // plan.values))
        return [("made samples", made_samples(plan.spec, count, seed))]
    sources = [(Path(file).name, read_samples(file, plan.spec)) for file in files]
    for name, samples in sources:
        if plan.spec.windows_in(samples.size) < 1:
            raise InputError(
                f"{name}: {samples.size:,} samples are too few for one window, which takes "
                f"{samples_for(plan.spec, 1):,}"
            )
    return sources


def _on_device(session: Session, samples: NDArray[Any], host: NDArray[Any]) -> NDArray[Any]:
    """The device's features, in the form of the host's.

    Raises MismatchError where the device completes another number of inputs.
    """
    replay = replay_samples(session.client, samples, use_files=session.device.shares_files)
    if len(replay.windows) != len(host):
        raise MismatchError(
            f"the device completed {len(replay.windows)} inputs of the model, the host {len(host)}",
            hint="generate, build and flash the firmware again with this tool",
        )
    data = b"".join(window.features for window in replay.windows)
    array = np.frombuffer(data, host.dtype.newbyteorder("<")).astype(host.dtype)
    return array.reshape(host.shape)


def _bits(array: NDArray[Any]) -> NDArray[Any]:
    return array.view(np.uint32) if array.dtype == np.float32 else array


def _first_difference(name: str, host: NDArray[Any], device: NDArray[Any]) -> list[Difference]:
    places = np.argwhere((_bits(host) != _bits(device)).reshape(len(host), -1))
    if len(places) == 0:
        return []
    window, place = map(int, places[0])
    values = (array.reshape(len(host), -1)[window, place] for array in (host, device))
    return [Difference(name, window, place, *map(float, values))]


_MEASURED = 4
"""Windows after the first one that are measured."""


def _cost(session: Session, plan: FeaturePlan) -> tuple[int | None, int | None]:
    """Instructions of the first window and of each further one; None where nothing counts them."""
    rate = session.client.benchmark(1).instructions_per_tick
    if rate is None:
        return None, None
    ticks = []
    for windows in (1, 1 + _MEASURED):
        samples = made_samples(plan.spec, samples_for(plan.spec, windows), 1)
        replay = replay_samples(session.client, samples, use_files=session.device.shares_files)
        ticks.append(replay.ticks)
    return round(ticks[0] * rate), round((ticks[1] - ticks[0]) * rate / _MEASURED)
