"""Mode `distill`: a smaller model that learns from a larger one."""

from __future__ import annotations

from typing import Any

from tinyml_tool.train.engine.arrays import load_arrays
from tinyml_tool.train.engine.build_model import read_model
from tinyml_tool.train.engine.distillation import Distillation, Distiller
from tinyml_tool.train.engine.export import export
from tinyml_tool.train.engine.fit import fit
from tinyml_tool.train.engine.job import Job
from tinyml_tool.train.engine.messages import Messages
from tinyml_tool.train.engine.smaller_input import build_pooled


def run(job: Job, messages: Messages) -> dict[str, Any]:
    """Build the student, fit it to labels and teacher, write it."""
    arrays = load_arrays(job.arrays)
    student = build_pooled(job.model, arrays.shape, job.classes, job.options["resolution"])
    teacher = read_model(job.options["teacher"])
    how = Distillation(**job.options["distillation"])
    progress = fit(Distiller(student, teacher, how), arrays, job, messages)
    messages.send("exporting")
    export(student, arrays, job.work)
    return {
        "parameters": student.count_params(),
        "history": progress.history,
        "best_epoch": progress.best_epoch,
        "teacher_parameters": teacher.count_params(),
    }
