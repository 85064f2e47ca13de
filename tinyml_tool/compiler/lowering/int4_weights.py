"""int4 weights: whether they stay two a byte in flash, or kernels for int8 weights get them."""

from __future__ import annotations

from tinyml_tool.compiler.lowering.requirements import require_data, require_dtype
from tinyml_tool.compiler.plan import Argument, ConstantArray, ConstantRef, TensorRef
from tinyml_tool.compiler.unsupported import UnsupportedOperatorError
from tinyml_tool.config import Optimize
from tinyml_tool.graph.int4 import packed_int4
from tinyml_tool.graph.types import DType, Tensor


def require_weights(weights: Tensor, source: Tensor) -> None:
    """Require int8 weights, or constant int4 ones where the input is int8."""
    require_dtype(weights, "weights", DType.INT8, DType.INT4)
    if weights.dtype is not DType.INT4:
        return
    if source.dtype is not DType.INT8:
        raise UnsupportedOperatorError(
            f"int4 weights are not supported with {source.dtype.value} activations, nor by TFLM "
            "(needs int8)",
            "quantize this layer's weights to int8, or its activations too",
        )
    require_data(weights, "weights")


def bits_in_flash(weights: Tensor, optimize: Optimize, *, few: bool = False) -> int:
    """4 or 8 bits a weight.

    few: whether there are so few weights that their width counts in preset `size` only.
    """
    if weights.dtype is not DType.INT4:
        return 8
    widens = optimize == "speed" or (few and optimize == "balanced")
    return 8 if widens else 4


def int4_reason(weights: Tensor, bits: int) -> str:
    """What a kernel's reason tells of the weights; empty for int8 ones."""
    if weights.dtype is not DType.INT4:
        return ""
    return "int4 weights" if bits == 4 else "int4 weights, widened to 8 bits"


def with_reason(first: str, second: str) -> str:
    """Both, if there are both."""
    return "; ".join(filter(None, (first, second)))


def weights_of_layer(weights: Tensor, bits: int) -> tuple[Argument, tuple[ConstantArray, ...]]:
    """A kernel's weights as the model stores them, but int4 ones in so many bits."""
    if weights.dtype is not DType.INT4:
        return TensorRef(weights.index), ()
    values = require_data(weights, "weights").reshape(-1)
    array = (
        ConstantArray("weights", packed_int4(values), "two a byte, the first in the lower half")
        if bits == 4
        else ConstantArray("weights", values, "int4 in the model")
    )
    return ConstantRef("weights"), (array,)
