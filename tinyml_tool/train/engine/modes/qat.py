"""Mode `qat`: quantization-aware training, to an int8 model with the ranges that were trained."""

from __future__ import annotations

from typing import Any

from tinyml_tool.train.engine.arrays import load_arrays
from tinyml_tool.train.engine.build_model import build_model
from tinyml_tool.train.engine.export import INT8_FILE, calibration_samples, export
from tinyml_tool.train.engine.fit import fit
from tinyml_tool.train.engine.fold_batch_norm import fold_batch_norms
from tinyml_tool.train.engine.job import Job
from tinyml_tool.train.engine.messages import Messages
from tinyml_tool.train.engine.quantization_aware import FakeQuantOptions, quantization_aware

UNTRAINED_FILE = "model_int8_untrained.tflite"
"""The same rounding without training: what the training has to make good."""


def run(job: Job, messages: Messages) -> dict[str, Any]:
    """Fold, round, calibrate, fit, write."""
    arrays = load_arrays(job.arrays)
    folded = fold_batch_norms(build_model(job.model, arrays.shape, job.classes))
    aware = quantization_aware(folded, FakeQuantOptions(**job.options["fake_quant"]))
    aware.calibrate(calibration_samples(arrays))
    (job.work / UNTRAINED_FILE).write_bytes(aware.to_int8())
    progress = fit(aware.model, arrays, job, messages)
    messages.send("exporting")
    (job.work / INT8_FILE).write_bytes(aware.to_int8())
    export(aware.to_float(), arrays, job.work)
    return {
        "parameters": folded.count_params(),
        "history": progress.history,
        "best_epoch": progress.best_epoch,
        "activations": aware.quantizations(),
    }
