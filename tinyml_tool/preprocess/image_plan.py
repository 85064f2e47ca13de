"""The C of image features."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyml_tool.preprocess.image_spec import ImageSpec
from tinyml_tool.preprocess.plan import FeaturePlan, Table, ValueFormat, struct_bytes
from tinyml_tool.preprocess.resample_table import Resampling, resampling
from tinyml_tool.preprocess.value_table import byte_table

_RED_PLACES = {"bayer_rggb": 0, "bayer_grbg": 1, "bayer_gbrg": 2, "bayer_bggr": 3}


def image_plan(spec: ImageSpec, value_format: ValueFormat) -> FeaturePlan:
    """The plan: always possible."""
    area = spec.area
    along, down = (
        resampling(area.width, spec.width, spec.resize),
        resampling(area.height, spec.height, spec.resize),
    )
    height, width, channels = spec.shape
    pixels = "bayer" if spec.is_bayer else spec.format
    return FeaturePlan(
        spec=spec,
        format=value_format,
        comment=f"Picture {spec.source_width} x {spec.source_height} {spec.format} to "
        f"{width} x {height} x {channels}.",
        template="features_image",
        headers=(f"pixels_{pixels}", "resample_u8", "smaller"),
        tables=(*_tables(along, "x"), *_tables(down, "y"), _values(spec, value_format)),
        arguments=_arguments(spec, along, down),
        sample_type="uint8",
        sample_comment=f"Bytes of the source, {spec.row_bytes} a row, from top to bottom.",
        state_bytes=struct_bytes(
            [
                (4, 3),
                (1, spec.row_bytes * (2 if spec.is_bayer else 1)),
                (1, area.width * channels),
                (1, down.taps * spec.width * channels),
                (1, 1),
            ]
        ),
    )


def _tables(table: Resampling, axis: str) -> list[Table]:
    along = {"x": "a row", "y": "the rows"}[axis]
    starts = Table(f"starts_{axis}", table.starts, f"First source pixel of each along {along}")
    if table.taps == 1:
        return [starts]
    weights = table.weights.reshape(-1)
    return [starts, Table(f"weights_{axis}", weights, f"Weights of the {table.taps} from there on")]


def _values(spec: ImageSpec, value_format: ValueFormat) -> Table:
    """One table of 256 values, or one for each channel where these differ."""
    count = _table_count(spec)
    means, stds = (v if len(v) > 1 else v * count for v in (spec.mean, spec.std))
    tables = [byte_table(m, s, value_format) for m, s in zip(means, stds, strict=True)]
    return Table("values", np.concatenate(tables), "What a byte becomes in the model's input")


def _table_count(spec: ImageSpec) -> int:
    return max(len(spec.mean), len(spec.std))


def _arguments(spec: ImageSpec, along: Resampling, down: Resampling) -> dict[str, Any]:
    area, cell = spec.area, 2 if spec.is_bayer else 1
    origin = _place(spec, 0, 0)
    return {
        "bayer": spec.is_bayer,
        "red": _RED_PLACES.get(spec.format),
        "format": spec.format,
        "row_bytes": spec.row_bytes,
        "rows": spec.source_height,
        "rows_at_once": cell,
        "first_row": area.y,
        "used_rows": area.height,
        "first_pixel": area.x,
        "used_pixels": area.width,
        "channels": spec.channels,
        "width": spec.width,
        "height": spec.height,
        "taps_x": along.taps,
        "taps_y": down.taps,
        "channel_tables": _table_count(spec) > 1,
        "origin": origin,
        "step_x": _place(spec, 1, 0) - origin,
        "step_y": _place(spec, 0, 1) - origin,
    }


def _place(spec: ImageSpec, x: int, y: int) -> int:
    """Where pixel (x, y) of the resized picture lies in the result: rotated, then mirrored."""
    right, below = spec.width - 1 - x, spec.height - 1 - y
    x, y = {0: (x, y), 90: (below, x), 180: (right, below), 270: (y, right)}[spec.rotate]
    height, width, channels = spec.shape
    if spec.mirror == "horizontal":
        x = width - 1 - x
    if spec.mirror == "vertical":
        y = height - 1 - y
    return (y * width + x) * channels
