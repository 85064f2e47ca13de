"""`lib/features/` of a project: the preprocessing, with only the code and tables that it needs."""

from __future__ import annotations

from typing import Any

from tinyml_tool.firmware.c_text import C_TYPES
from tinyml_tool.firmware.model_sources import include_files, kernel_files
from tinyml_tool.firmware.templates import render, source
from tinyml_tool.preprocess.plan import C_NAMES, FeaturePlan, ValueFormat
from tinyml_tool.resources import data_folder

FOLDER = "lib/features"
HEADER = "model_features.h"
"""Not features.h: that is a header of C libraries."""


def features_files(plan: FeaturePlan) -> dict[str, str]:
    """Relative path to text of `lib/features/`, and of the `lib/kernels/` it includes."""
    return {
        f"{FOLDER}/{HEADER}": render(f"preprocess/{HEADER}.j2", **_header_values(plan)),
        f"{FOLDER}/model_features.c": render(f"preprocess/{plan.template}.c.j2", **_values(plan)),
        **_blocks(plan),
    }


def host_source() -> str:
    """The file that a program on this computer compiles in place of model_features.c."""
    return source("preprocess/features_host.c")


def _blocks(plan: FeaturePlan) -> dict[str, str]:
    """The headers of the blocks, and the kernels that these include."""
    folder = data_folder("firmware_templates") / "preprocess"
    files: dict[str, str] = {}
    kernels: list[str] = []
    waiting = list(plan.headers)
    while waiting:
        name = waiting.pop()
        if not (folder / f"{name}.h").is_file():
            kernels.append(name)
        elif f"{FOLDER}/{name}.h" not in files:
            text = files[f"{FOLDER}/{name}.h"] = source(f"preprocess/{name}.h")
            waiting += [include.removesuffix(".h") for include in include_files(text)]
    return {**dict(sorted(files.items())), **kernel_files(tuple(kernels))}


def _header_values(plan: FeaturePlan) -> dict[str, Any]:
    return {
        "comment": plan.comment,
        "hash": plan.hash,
        "values": plan.values,
        "ram_bytes": plan.ram_bytes,
        "sample_type": C_NAMES[plan.sample_type],
        "sample_comment": plan.sample_comment,
        "value_type": C_NAMES[plan.format.type],
        "value_comment": _value_comment(plan.format),
    }


def _value_comment(value_format: ValueFormat) -> str:
    if not value_format.is_quantized:
        return "A value of the model's input."
    return (
        f"A value v of the model's input means {value_format.scale:g} * "
        f"(v - {value_format.zero_point})."
    )


def _values(plan: FeaturePlan) -> dict[str, Any]:
    low, high = plan.format.limits if plan.format.is_quantized else (0, 0)
    return {
        "comment": plan.comment,
        "headers": plan.headers,
        "tables": [
            {
                "name": table.name,
                "comment": table.comment,
                "elements": table.values,
                "type": {**C_TYPES, "uint16": "uint16_t"}[table.values.dtype.name],
            }
            for table in plan.tables
        ],
        "quantized": plan.format.is_quantized,
        "scale": plan.format.scale,
        "zero_point": plan.format.zero_point,
        "low": low,
        "high": high,
        **plan.arguments,
    }
