"""Mode `scale`: the same architecture narrower, or on fewer pixels or moments, fitted anew."""

from __future__ import annotations

from typing import Any

from tinyml_tool.train.engine.arrays import load_arrays
from tinyml_tool.train.engine.export import export
from tinyml_tool.train.engine.fit import fit
from tinyml_tool.train.engine.job import Job
from tinyml_tool.train.engine.messages import Messages
from tinyml_tool.train.engine.smaller_input import build_pooled


def run(job: Job, messages: Messages) -> dict[str, Any]:
    """Build, fit, write."""
    arrays = load_arrays(job.arrays)
    model = build_pooled(job.model, arrays.shape, job.classes, job.options["resolution"])
    progress = fit(model, arrays, job, messages)
    messages.send("exporting")
    export(model, arrays, job.work)
    return {
        "parameters": model.count_params(),
        "history": progress.history,
        "best_epoch": progress.best_epoch,
    }
