"""Geometry of windows that slide over height and width: convolutions and pooling."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_tool.compiler.lowering.requirements import CONVERT_AGAIN
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.graph.options import Padding


@dataclass(frozen=True)
class WindowAxis:
    """A window along one axis: `output` positions, `pad` elements of padding before the input."""

    output: int
    pad: int


def window_axis(
    padding: Padding, size: int, window: int, stride: int, dilation: int = 1
) -> WindowAxis:
    """Positions and leading padding of a window of `window` taps over `size` elements.

    SAME puts the odd element of padding behind the input.
    Raises UnsupportedOperatorError where the window does not fit once.
    """
    if min(size, window, stride, dilation) < 1:
        raise UnsupportedOperatorError(
            f"window {window}, stride {stride}, dilation {dilation} over an input of {size} "
            "is no window",
            CONVERT_AGAIN,
        )
    reach = (window - 1) * dilation + 1
    if padding is Padding.VALID:
        output = (size - reach) // stride + 1
        if output < 1:
            raise UnsupportedOperatorError(
                f"a window that reaches over {reach} elements does not fit its input of {size}",
                "use padding SAME or a larger input",
            )
        return WindowAxis(output, 0)
    output = -(-size // stride)
    return WindowAxis(output, max((output - 1) * stride + reach - size, 0) // 2)
