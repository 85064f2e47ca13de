"""The parts of the TensorFlow Lite schema that the reader reads, as `flatbuffer.verify` needs them.

A field's slot is its place in the table of `schema.fbs`; a deprecated field keeps its slot.
"""

from __future__ import annotations

from tinyml_tool.graph.flatbuffer import (
    FieldType,
    Scalar,
    ScalarVector,
    String,
    TableType,
    TableVector,
    Union,
)

FILE_IDENTIFIER = b"TFL3"
"""Bytes 4 to 7 of every TensorFlow Lite model."""

SCHEMA_VERSION = 3

_BYTE = Scalar(1)
_INT = Scalar(4)
_LONG = Scalar(8)
_AXES = ScalarVector(4, most=32)
_TENSORS = ScalarVector(4, most=4096)


def _table(name: str, *fields: tuple[str, FieldType]) -> TableType:
    """A table whose fields fill the slots from 0 on."""
    return TableType(name, tuple((slot, *field) for slot, field in enumerate(fields)))


_OPTIONS = {
    1: _table(
        "Conv2DOptions",
        ("padding", _BYTE),
        ("stride_w", _INT),
        ("stride_h", _INT),
        ("fused_activation_function", _BYTE),
        ("dilation_w_factor", _INT),
        ("dilation_h_factor", _INT),
    ),
    2: _table(
        "DepthwiseConv2DOptions",
        ("padding", _BYTE),
        ("stride_w", _INT),
        ("stride_h", _INT),
        ("depth_multiplier", _INT),
        ("fused_activation_function", _BYTE),
        ("dilation_w_factor", _INT),
        ("dilation_h_factor", _INT),
    ),
    5: _table(
        "Pool2DOptions",
        ("padding", _BYTE),
        ("stride_w", _INT),
        ("stride_h", _INT),
        ("filter_width", _INT),
        ("filter_height", _INT),
        ("fused_activation_function", _BYTE),
    ),
    8: _table(
        "FullyConnectedOptions",
        ("fused_activation_function", _BYTE),
        ("weights_format", _BYTE),
        ("keep_num_dims", _BYTE),
    ),
    9: _table("SoftmaxOptions", ("beta", _INT)),
    10: _table("ConcatenationOptions", ("axis", _INT), ("fused_activation_function", _BYTE)),
    11: _table("AddOptions", ("fused_activation_function", _BYTE)),
    21: _table("MulOptions", ("fused_activation_function", _BYTE)),
    27: _table("ReducerOptions", ("keep_dims", _BYTE)),
    28: _table("SubOptions", ("fused_activation_function", _BYTE)),
    30: _table("SqueezeOptions", ("squeeze_dims", _AXES)),
    32: _table(
        "StridedSliceOptions",
        ("begin_mask", _INT),
        ("end_mask", _INT),
        ("ellipsis_mask", _INT),
        ("new_axis_mask", _INT),
        ("shrink_axis_mask", _INT),
        ("offset", _BYTE),
    ),
    35: _table("SplitOptions", ("num_splits", _INT)),
    74: _table(
        "ResizeNearestNeighborOptions", ("align_corners", _BYTE), ("half_pixel_centers", _BYTE)
    ),
    75: _table("LeakyReluOptions", ("alpha", _INT)),
}
"""By number in the union BuiltinOptions; the options of all other operators are not read."""

_QUANTIZATION = _table(
    "QuantizationParameters",
    ("min", ScalarVector(4)),
    ("max", ScalarVector(4)),
    ("scale", ScalarVector(4)),
    ("zero_point", ScalarVector(8)),
    ("details_type", _BYTE),
    ("details", Union(selector=4, members={})),
    ("quantized_dimension", _INT),
)

_TENSOR = _table(
    "Tensor",
    ("shape", _AXES),
    ("type", _BYTE),
    ("buffer", _INT),
    ("name", String()),
    ("quantization", _QUANTIZATION),
    ("is_variable", _BYTE),
    ("sparsity", _table("SparsityParameters")),
    ("shape_signature", _AXES),
    ("has_rank", _BYTE),
    ("variant_tensors", ScalarVector(4)),
    ("external_buffer", _INT),
)

_OPERATOR = _table(
    "Operator",
    ("opcode_index", _INT),
    ("inputs", _TENSORS),
    ("outputs", _TENSORS),
    ("builtin_options_type", _BYTE),
    ("builtin_options", Union(selector=3, members=_OPTIONS)),
)

_SUBGRAPH = _table(
    "SubGraph",
    ("tensors", TableVector(_TENSOR)),
    ("inputs", _TENSORS),
    ("outputs", _TENSORS),
    ("operators", TableVector(_OPERATOR)),
    ("name", String()),
)

_OPERATOR_CODE = _table(
    "OperatorCode",
    ("deprecated_builtin_code", _BYTE),
    ("custom_code", String()),
    ("version", _INT),
    ("builtin_code", _INT),
)

_BUFFER = _table("Buffer", ("data", ScalarVector(1)), ("offset", _LONG), ("size", _LONG))

_METADATA = _table("Metadata", ("name", String()), ("buffer", _INT))

MODEL_SLOTS = 8
"""Fields of Model, those that are not read (signature_defs) included."""

MODEL = _table(
    "Model",
    ("version", _INT),
    ("operator_codes", TableVector(_OPERATOR_CODE)),
    ("subgraphs", TableVector(_SUBGRAPH)),
    ("description", String()),
    ("buffers", TableVector(_BUFFER)),
    ("metadata_buffer", ScalarVector(4)),
    ("metadata", TableVector(_METADATA)),
)
"""The root table."""
