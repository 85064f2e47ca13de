"""What each value of a byte becomes in the model's input."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.preprocess.plan import ValueFormat


def quantize_f32(values: NDArray[np.float32], value_format: ValueFormat) -> NDArray[Any]:
    """What the kernel quantize_f32 makes of finite `values`, for tables made in advance.

    One division in single precision, rounded halves away from zero, saturated.
    """
    if not value_format.is_quantized:
        return values
    steps = values / np.float32(value_format.scale)
    whole = np.trunc(np.clip(steps, -65536, 65536))
    rest = steps - whole
    rounded = whole + (rest >= 0.5) - (rest <= -0.5)
    low, high = value_format.limits
    clipped = np.clip(rounded.astype(np.int64) + value_format.zero_point, low, high)
    stored: NDArray[Any] = clipped.astype(value_format.dtype)
    return stored


def byte_table(mean: float, std: float, value_format: ValueFormat) -> NDArray[Any]:
    """(value - mean) / std of 0 to 255 as a value of the model's input."""
    real = (np.arange(256, dtype=np.float64) - mean) / std
    return quantize_f32(real.astype(np.float32), value_format)
