"""`lib/answer/` of a project: what the model's outputs say, with only the code that it needs."""

from __future__ import annotations

import math
from typing import Any

from tinyml_tool.firmware.model_sources import include_files, kernel_files
from tinyml_tool.firmware.templates import render, source
from tinyml_tool.preprocess.answer_plan import AnswerPlan, Rebuilt
from tinyml_tool.preprocess.answer_spec import ClassesSpec
from tinyml_tool.preprocess.plan import C_NAMES
from tinyml_tool.resources import data_folder

FOLDER = "lib/answer"
_CODE = ("model_answer.h", "model_answer.c")
_LARGEST_SQUARE = 255 * 255
"""Of values of 8 bits without their zero point."""
_LEAST_WEIGHT = 1 << 24
"""As precise as a float."""


def answer_files(plan: AnswerPlan) -> dict[str, str]:
    """Relative path to text of `lib/answer/`, and of the `lib/kernels/` it includes."""
    template = "class_answer" if plan.is_classes else "anomaly_answer"
    code = render(f"postprocess/{template}.c.j2", **_values(plan))
    return {
        f"{FOLDER}/{_CODE[0]}": render(f"postprocess/{_CODE[0]}.j2", **_header_values(plan)),
        f"{FOLDER}/{_CODE[1]}": code,
        **_blocks(code),
        **kernel_files(("tinyml_kernel",)),
    }


def _blocks(code: str) -> dict[str, str]:
    """The headers that the code includes, of this folder and of the preprocessing."""
    folder = data_folder("firmware_templates")
    files: dict[str, str] = {}
    waiting = list(include_files(code))
    while waiting:
        name = waiting.pop()
        for place in ("postprocess", "preprocess"):
            if f"{FOLDER}/{name}" not in files and (folder / place / name).is_file():
                text = files[f"{FOLDER}/{name}"] = source(f"{place}/{name}")
                waiting += include_files(text)
    return dict(sorted(files.items()))


def _header_values(plan: AnswerPlan) -> dict[str, Any]:
    rebuilt = plan.rebuilt
    outputs = rebuilt.values if rebuilt is not None else len(plan.spec.labels)
    inputs = rebuilt.values * rebuilt.format.dtype.itemsize if rebuilt is not None else 0
    return {
        "about": plan.about,
        "hash": plan.hash,
        "labels": plan.spec.labels,
        "top": plan.top,
        "ram_bytes": plan.ram_bytes,
        "output_bytes": outputs * plan.format.dtype.itemsize,
        "quantized": plan.format.is_quantized,
        "value_type": C_NAMES[plan.format.type],
        "input_bytes": inputs,
        "input_type": C_NAMES[rebuilt.format.type] if rebuilt is not None else None,
    }


def _values(plan: AnswerPlan) -> dict[str, Any]:
    spec = plan.spec
    values = {
        "about": plan.about,
        "labels": spec.labels,
        "average": spec.average,
        "refractory": spec.refractory,
        "quantized": plan.format.is_quantized,
        "scale": plan.format.scale,
        "zero_point": plan.format.zero_point,
    }
    if plan.rebuilt is not None:
        return {**values, "threshold": spec.threshold, **_rebuilt_values(plan, plan.rebuilt)}
    assert isinstance(spec, ClassesSpec), "the other kind has no input to rebuild"
    flags = ["true" if label in spec.ignore else "false" for label in spec.labels]
    return {
        **values,
        "ignored": flags if spec.ignore else None,
        "thresholds": spec.least if len(set(spec.least)) > 1 else spec.least[0],
    }


def _rebuilt_values(plan: AnswerPlan, rebuilt: Rebuilt) -> dict[str, Any]:
    """What the error needs: the factors of the three sums are exact products of the scales."""
    given, made = rebuilt.format, plan.format
    factors = (given.scale**2, 2 * given.scale * made.scale, made.scale**2)
    largest = rebuilt.values * _LARGEST_SQUARE
    small = max(given.dtype.itemsize, made.dtype.itemsize) == 1 and largest < 1 << 31
    return {
        "values": rebuilt.values,
        "input_scale": given.scale,
        "input_zero_point": given.zero_point,
        "sum_type": "int32_t" if small else "int64_t",
        "whole": _whole_weights(factors, largest, rebuilt.values) if small else None,
        "squares": [repr(factor) for factor in factors],
    }


def _whole_weights(factors: tuple[float, ...], largest: int, values: int) -> dict[str, Any] | None:
    """Factors as whole numbers that, times sums up to `largest`, add up to less than 2^63.

    `unit` makes of their sum the mean of so many values.  None where the scales are so different
    that the least factor would keep too few bits.
    """
    shift = 62 - math.frexp(sum(factors) * largest)[1]
    weights = [round(math.ldexp(factor, shift)) for factor in factors]
    assert sum(weights) * largest < 1 << 63, "the sum of the products would overflow"
    if min(weights) < _LEAST_WEIGHT:
        return None
    return {"shift": shift, "weights": weights, "unit": math.ldexp(1.0, -shift) / values}


def answer_host_source() -> str:
    """The file that a program on this computer compiles in place of model_answer.c."""
    return source("postprocess/answer_host.c")
