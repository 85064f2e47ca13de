"""Modes `build` and `train_many`: candidates of a search, untrained to be priced, or trained.

`options.candidates` is a list of `{"id", "architecture", "resolution"}`; each gets a folder of its
own under `job.work`, and its own event `candidate` as soon as it is done.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras

from tinyml_tool.train.engine.arrays import Arrays, load_arrays
from tinyml_tool.train.engine.export import TFLITE_FILE, export, to_tflite
from tinyml_tool.train.engine.fit import fit
from tinyml_tool.train.engine.job import Job
from tinyml_tool.train.engine.messages import EngineError, Messages
from tinyml_tool.train.engine.smaller_input import build_pooled


def build(job: Job, messages: Messages) -> dict[str, Any]:
    """Write each candidate as float `.tflite` with random weights, or tell why it cannot be."""
    for one, own, model in _models(job, load_arrays(job.arrays), messages):
        (own.work / TFLITE_FILE).write_bytes(to_tflite(model))
        messages.send("candidate", id=one["id"], error=None, parameters=model.count_params())
    return {}


def train_many(job: Job, messages: Messages) -> dict[str, Any]:
    """Train the candidates one after another; an interrupted one goes on from its last epoch."""
    arrays = load_arrays(job.arrays)
    for one, own, model in _models(job, arrays, messages):
        started = time.monotonic()
        progress = fit(model, arrays, own, messages)
        export(model, arrays, own.work)
        messages.send(
            "candidate",
            id=one["id"],
            error=None,
            parameters=model.count_params(),
            history=progress.history,
            best_epoch=progress.best_epoch,
            seconds=time.monotonic() - started,
        )
    return {}


def _models(
    job: Job, arrays: Arrays, messages: Messages
) -> Iterator[tuple[dict[str, Any], Job, keras.Model]]:
    """Each candidate that can be built, its own job and its model, with the same seed for all."""
    for one in job.options["candidates"]:
        keras.backend.clear_session()
        keras.utils.set_random_seed(job.fit.seed)
        own = replace(job, work=job.work / one["id"])
        own.work.mkdir(parents=True, exist_ok=True)
        spec = {"architecture": one["architecture"]}
        try:
            model = build_pooled(spec, arrays.shape, job.classes, one["resolution"])
        except EngineError as error:
            messages.send("candidate", id=one["id"], error=error.message)
            continue
        yield one, own, model
