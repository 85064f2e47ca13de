"""The real numbers that a tensor's values stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.graph.types import Tensor


def real_values(values: NDArray[Any], tensor: Tensor) -> NDArray[np.float64]:
    """Scale * (value - zero point), or the values themselves where the tensor has no scale."""
    quantization = tensor.quantization
    numbers = values.astype(np.float64)
    if quantization is None or tensor.dtype.numpy.kind == "f":
        return numbers
    return np.asarray((numbers - quantization.zero_point) * quantization.scale)
