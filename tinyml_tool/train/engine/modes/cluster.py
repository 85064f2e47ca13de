"""Mode `cluster`: a model whose layers' weights share few values, fitted further."""

from __future__ import annotations

from typing import Any

from tinyml_tool.train.engine.arrays import load_arrays
from tinyml_tool.train.engine.build_model import build_model
from tinyml_tool.train.engine.export import export
from tinyml_tool.train.engine.fit import fit
from tinyml_tool.train.engine.fold_batch_norm import fold_batch_norms
from tinyml_tool.train.engine.job import Job
from tinyml_tool.train.engine.messages import Messages
from tinyml_tool.train.engine.weight_clusters import KeepClusters, distinct_weights


def run(job: Job, messages: Messages) -> dict[str, Any]:
    """Fold normalisation (it would tear clusters apart), cluster, fit, write."""
    arrays = load_arrays(job.arrays)
    model = fold_batch_norms(build_model(job.model, arrays.shape, job.classes))
    keep = KeepClusters(model, job.options["clusters"])
    progress = fit(model, arrays, job, messages, extra=[keep])
    messages.send("exporting")
    export(model, arrays, job.work)
    return {
        "parameters": model.count_params(),
        "history": progress.history,
        "best_epoch": progress.best_epoch,
        "distinct_weights": distinct_weights(model),
    }
