"""`lib/sensors/` of a project: what reads raw samples, with only the driver that it needs."""

from __future__ import annotations

from tinyml_tool.firmware.templates import render, source
from tinyml_tool.preprocess.source_plan import READ_BYTES, SourcePlan

FOLDER = "lib/sensors"
CONFIG_HEADER = "tinyml_source_config.h"
_EVERY_SOURCE = ("tinyml_sense.c", "tinyml_sense.h", "tinyml_source.h")


def source_files(plan: SourcePlan) -> dict[str, str]:
    """Relative path to text of `lib/sensors/`."""
    names = sorted((*_EVERY_SOURCE, *plan.files))
    config = render(
        f"sensors/{CONFIG_HEADER}.j2",
        kind=plan.spec.kind,
        comment=plan.comment,
        channels=plan.channels,
        read_bytes=READ_BYTES,
        constants=plan.constants,
    )
    return {
        **{f"{FOLDER}/{name}": source(f"sensors/{name}") for name in names},
        f"{FOLDER}/{CONFIG_HEADER}": config,
    }
