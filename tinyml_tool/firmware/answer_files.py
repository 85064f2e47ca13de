"""`lib/answer/` of a project: what the model's scores say, with only the code that it needs."""

from __future__ import annotations

from tinyml_tool.firmware.model_sources import kernel_files
from tinyml_tool.firmware.templates import render, source
from tinyml_tool.preprocess.answer_plan import AnswerPlan
from tinyml_tool.preprocess.plan import C_NAMES

FOLDER = "lib/answer"


def answer_files(plan: AnswerPlan) -> dict[str, str]:
    """Relative path to text of `lib/answer/`, and of the `lib/kernels/` it includes."""
    spec = plan.spec
    values = {
        "labels": spec.labels,
        "ignored": ["true" if label in spec.ignore else "false" for label in spec.labels],
        "average": spec.average,
        "refractory": spec.refractory,
        "threshold": spec.threshold,
        "quantized": plan.format.is_quantized,
        "scale": plan.format.scale,
        "zero_point": plan.format.zero_point,
        "value_type": C_NAMES[plan.format.type],
        "ram_bytes": plan.ram_bytes,
    }
    return {
        f"{FOLDER}/model_answer.h": render("postprocess/model_answer.h.j2", **values),
        f"{FOLDER}/model_answer.c": render("postprocess/model_answer.c.j2", **values),
        f"{FOLDER}/class_scores.h": source("postprocess/class_scores.h"),
        f"{FOLDER}/float_math.h": source("preprocess/float_math.h"),
        **kernel_files(("tinyml_kernel",)),
    }


def answer_host_source() -> str:
    """The file that a program on this computer compiles in place of model_answer.c."""
    return source("postprocess/answer_host.c")
