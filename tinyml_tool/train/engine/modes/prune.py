"""Mode `prune`: a model without its least important channels, fitted further."""

from __future__ import annotations

from typing import Any

from tinyml_tool.train.engine.arrays import load_arrays
from tinyml_tool.train.engine.build_model import build_model
from tinyml_tool.train.engine.export import export
from tinyml_tool.train.engine.fit import fit
from tinyml_tool.train.engine.job import Job
from tinyml_tool.train.engine.messages import Messages
from tinyml_tool.train.engine.prune_channels import prune_channels


def run(job: Job, messages: Messages) -> dict[str, Any]:
    """Remove channels, fit, write."""
    arrays = load_arrays(job.arrays)
    whole = build_model(job.model, arrays.shape, job.classes)
    model, removed = prune_channels(whole, job.options["share"], job.options["criterion"])
    progress = fit(model, arrays, job, messages)
    messages.send("exporting")
    export(model, arrays, job.work)
    return {
        "parameters": model.count_params(),
        "history": progress.history,
        "best_epoch": progress.best_epoch,
        "parameters_before": whole.count_params(),
        "channels_removed": removed,
    }
