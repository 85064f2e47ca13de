"""The same network with a share of its width, trained anew: what a ladder tries in the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tinyml_tool.api.compress import compress
from tinyml_tool.api.float_source import FloatSource, find_float_model
from tinyml_tool.api.generate import Progress
from tinyml_tool.train.compression import CompressOptions
from tinyml_tool.train.record import find_record
from tinyml_tool.train.result_folder import FLOAT_FILE, KERAS_FILE, TRAIN_FILE

Narrower = Callable[[float, Progress], FloatSource]
"""Makes the same network with that share of its width: trained, with its data beside it."""


def training_of(model: str | Path) -> Path | None:
    """The folder of the training that left `model`, with the samples; None where there is none."""
    path = Path(model)
    folder = path if path.is_dir() else path.parent
    if not path.is_dir() and path.name not in (FLOAT_FILE, KERAS_FILE):
        return None
    if not (folder / TRAIN_FILE).is_file() or find_record(folder) is None:
        return None
    return folder


def narrower_of(folder: Path, place: Path) -> Narrower:
    """Trains networks of the training in `folder` as it was, in folders below `place`."""

    def narrower(width: float, progress: Progress) -> FloatSource:
        output = place / f"width-{width:g}"
        compress(
            folder,
            method="scale",
            options=CompressOptions(width=width),
            output=output,
            measure=False,
            progress=progress,
        )
        return find_float_model(output)

    return narrower
