"""Inferences on raw samples: the device makes the model's inputs of them itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.api.project import Project
from tinyml_tool.api.session import Session
from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import Graph
from tinyml_tool.protocol import AnswerReply
from tinyml_tool.verify.raw_samples import RAW_SUFFIXES, read_samples
from tinyml_tool.verify.replay import replay_samples


@dataclass(frozen=True, eq=False)
class RawAnswers:
    """What the model said to each complete window, and where that came from."""

    names: tuple[str, ...]
    outputs: tuple[tuple[NDArray[Any], ...], ...]
    answers: tuple[AnswerReply, ...]
    """One for each window where the firmware tells what outputs say; else empty."""


def raw_inputs(project: Project, files: Sequence[str | Path]) -> dict[str, NDArray[Any]]:
    """The samples in `files`, by file; empty where they hold inputs of the model instead.

    Raises InputError for a mixture, and for files that do not fit the project's features.
    """
    spec = project.features
    raw = [file for file in files if Path(file).suffix.lower() in RAW_SUFFIXES]
    if spec is None or not raw:
        return {}
    if len(raw) != len(files):
        raise InputError(
            "some of these files hold raw samples, others inputs of the model",
            hint="give one sort at a time",
        )
    return {str(file): read_samples(file, spec) for file in files}


def run_raw(session: Session, graph: Graph, samples: dict[str, NDArray[Any]]) -> RawAnswers:
    """Stream each row of samples through the device from anew.

    Raises InputError where one is too short for an input of the model.
    """
    names: list[str] = []
    outputs: list[tuple[NDArray[Any], ...]] = []
    answers: list[AnswerReply] = []
    for name, row in samples.items():
        replay = replay_samples(
            session.client, row, run=True, use_files=session.device.shares_files
        )
        if not replay.windows:
            raise InputError(f"{name}: {row.size:,} samples are too few for one input of the model")
        several = len(replay.windows) > 1
        names += [f"{name}[{i}]" if several else name for i in range(len(replay.windows))]
        outputs += [_arrays(graph, window.outputs) for window in replay.windows]
        answers += [window.answer for window in replay.windows if window.answer is not None]
    return RawAnswers(tuple(names), tuple(outputs), tuple(answers))


def _arrays(graph: Graph, outputs: Sequence[bytes]) -> tuple[NDArray[Any], ...]:
    tensors = [graph.tensors[index] for index in graph.outputs]
    return tuple(
        np.frombuffer(data, tensor.dtype.numpy.newbyteorder("<"))
        .astype(tensor.dtype.numpy)
        .reshape(tensor.shape)
        for data, tensor in zip(outputs, tensors, strict=True)
    )
