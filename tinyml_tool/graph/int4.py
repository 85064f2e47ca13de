"""4-bit values as files and generated code store them: two a byte, the first in the lower half.

Source: TensorFlow Lite's schema (`TensorType.INT4`) and `UnpackDenseInt4IntoInt8` of TFLM.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LOWEST, HIGHEST = -8, 7


def unpacked_int4(stored: NDArray[np.uint8], elements: int) -> NDArray[np.int8]:
    """The values -8 to 7 in `stored`; the last byte's upper half is unused where they are odd."""
    pairs = np.stack([stored << 4, stored & 0xF0], axis=-1).reshape(-1)
    return pairs[:elements].view(np.int8) >> 4


def packed_int4(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values -8 to 7 of any shape in row-major order, two a byte."""
    halves = values.reshape(-1).astype(np.int8).view(np.uint8) & 0x0F
    even: NDArray[np.uint8] = np.pad(halves, (0, halves.size % 2))
    packed: NDArray[np.uint8] = np.bitwise_or(even[0::2], even[1::2] << 4, dtype=np.uint8)
    return packed
