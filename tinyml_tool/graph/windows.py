"""Which input elements a window meets as it slides along an axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.graph.options import Conv2DOptions, Padding, Pool2DOptions
from tinyml_tool.graph.types import Graph, Operator


@dataclass(frozen=True)
class Window:
    """A window along one axis of a layer."""

    size: int
    """Elements of the input."""
    taps: int
    stride: int
    dilation: int
    output: int
    """Positions."""
    pad: int
    """Elements of padding before the input."""

    @property
    def reach(self) -> int:
        """Elements from the first tap to the last."""
        return (self.taps - 1) * self.dilation + 1

    def indices(self) -> NDArray[np.intp]:
        """Input index that each tap meets at each position: [output, taps]; -1 is padding."""
        first = np.arange(self.output)[:, None] * self.stride - self.pad
        met = first + np.arange(self.taps)[None, :] * self.dilation
        return np.where((met >= 0) & (met < self.size), met, -1)


def leading_pad(padding: Padding, window: Window) -> int:
    """Elements of padding before the input; SAME puts an odd one behind it."""
    if padding is Padding.VALID:
        return 0
    needed = (window.output - 1) * window.stride + window.reach - window.size
    return max(needed, 0) // 2


def windows(operator: Operator, graph: Graph) -> tuple[Window, Window]:
    """Rows and columns of a convolution or pool."""
    options = operator.options
    if isinstance(options, Pool2DOptions):
        filters, dilations = (options.filter_h, options.filter_w), (1, 1)
        pads = None
    else:
        assert isinstance(options, Conv2DOptions)
        _, filter_h, filter_w, _ = graph.tensor(operator.inputs[1]).shape
        filters, dilations = (filter_h, filter_w), (options.dilation_h, options.dilation_w)
        pads = options.pad_before
    sizes = graph.tensor(operator.inputs[0]).shape[1:3]
    outputs = graph.tensor(operator.outputs[0]).shape[1:3]
    strides = (options.stride_h, options.stride_w)
    axes = []
    for axis in (0, 1):
        window = Window(
            sizes[axis], filters[axis], strides[axis], dilations[axis], outputs[axis], pad=0
        )
        pad = pads[axis] if pads else leading_pad(options.padding, window)
        axes.append(
            Window(sizes[axis], filters[axis], strides[axis], dilations[axis], outputs[axis], pad)
        )
    return axes[0], axes[1]
