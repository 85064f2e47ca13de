"""Mode `train`: a float model, made anew or taken from a file and fitted further."""

from __future__ import annotations

from typing import Any

from tinyml_tool.train.engine.arrays import load_arrays
from tinyml_tool.train.engine.build_model import build_model
from tinyml_tool.train.engine.export import export
from tinyml_tool.train.engine.fit import fit
from tinyml_tool.train.engine.job import Job
from tinyml_tool.train.engine.messages import Messages


def run(job: Job, messages: Messages) -> dict[str, Any]:
    """Fit, then write model and answers to `job.work`."""
    arrays = load_arrays(job.arrays)
    model = build_model(job.model, arrays.shape, job.classes)
    progress = fit(model, arrays, job, messages)
    messages.send("exporting")
    export(model, arrays, job.work)
    return {
        "parameters": model.count_params(),
        "history": progress.history,
        "best_epoch": progress.best_epoch,
    }
