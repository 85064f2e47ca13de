"""Builds small `.tflite` models in memory, so that a test states exactly the operator it means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import ArrayLike, NDArray

from tinyml_tool.graph.int4 import packed_int4

_TENSOR_TYPES = {
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int16": schema.TensorType.INT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "float32": schema.TensorType.FLOAT32,
    "bool": schema.TensorType.BOOL,
    "int4": schema.TensorType.INT4,
    "float16": schema.TensorType.FLOAT16,
    "float64": schema.TensorType.FLOAT64,
    "uint16": schema.TensorType.UINT16,
    "uint32": schema.TensorType.UINT32,
    "uint64": schema.TensorType.UINT64,
    "string": schema.TensorType.STRING,
}

# Kinds whose options are not simply the kind in CamelCase with "Options" behind it.
_OPTIONS_NAMES = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "L2_POOL_2D": "Pool2DOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "MEAN": "ReducerOptions",
    "SUM": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "PADV2": "PadV2Options",
}

# Operators that have no options table in the schema.
_WITHOUT_OPTIONS = {
    "CEIL",
    "ELU",
    "FLOOR",
    "LOG",
    "ROUND",
    "RSQRT",
    "SIN",
    "SQRT",
    "LOGISTIC",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "TANH",
    "PRELU",
    "CUSTOM",
}

_ENUM_OPTIONS = {
    "padding": schema.Padding,
    "fusedActivationFunction": schema.ActivationFunctionType,
    "weightsFormat": schema.FullyConnectedOptionsWeightsFormat,
}


class ModelBuilder:
    """Collects tensors and operators, then packs them into the bytes of a `.tflite` file.

    Tensors are named by the index that `tensor`, `input` or `constant` returns; -1 as an
    operator's input means that an optional input is absent.

        builder = ModelBuilder()
        x = builder.input("int8", (1, 4), scale=0.5, zero_point=3)
        y = builder.operator("RELU", [x], builder.tensor("int8", (1, 4), scale=0.5, zero_point=3))
        model = builder.build([y])
    """

    def __init__(self) -> None:
        self._tensors: list[schema.TensorT] = []
        # Buffer 0 is the empty buffer of every tensor that is no constant.
        self._buffers = [schema.BufferT()]
        self._operators: list[schema.OperatorT] = []
        self._codes: list[tuple[str, int, str | None]] = []
        self._inputs: list[int] = []

    def tensor(
        self,
        dtype: str,
        shape: Sequence[int],
        *,
        scale: float | Sequence[float] | None = None,
        zero_point: int | Sequence[int] = 0,
        axis: int | None = None,
        name: str | None = None,
        shape_signature: Sequence[int] | None = None,
        data: bytes | None = None,
    ) -> int:
        """Add a tensor and return its index.

        `scale` as a sequence is a quantization per channel along `axis` (one scale there stays one
        scale); `zero_point` then may be one value for all.  None means not quantized.
        """
        tensor = schema.TensorT()
        tensor.type = _TENSOR_TYPES[dtype]
        tensor.shape = list(shape)
        tensor.hasRank = True
        tensor.name = name or f"tensor_{len(self._tensors)}"
        if shape_signature is not None:
            tensor.shapeSignature = list(shape_signature)
        if scale is not None:
            tensor.quantization = _quantization(scale, zero_point, axis)
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data, np.uint8)
            tensor.buffer = len(self._buffers)
            self._buffers.append(buffer)
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def input(self, dtype: str, shape: Sequence[int], **quantization: Any) -> int:
        """Add a tensor that is an input of the graph; arguments as in `tensor`."""
        index = self.tensor(dtype, shape, **quantization)
        self._inputs.append(index)
        return index

    def constant(self, values: ArrayLike, dtype: str | None = None, **quantization: Any) -> int:
        """Add a constant with these values; its type is `dtype` or else that of the array."""
        # ascontiguousarray makes a scalar an array of rank 1.
        shape = np.shape(values)
        if dtype == "int4":
            stored = packed_int4(np.asarray(values)).tobytes()
            return self.tensor(dtype, shape, data=stored, **quantization)
        array = np.ascontiguousarray(values, dtype=dtype)
        return self.tensor(array.dtype.name, shape, data=array.tobytes(), **quantization)

    def operator(
        self,
        kind: str,
        inputs: Sequence[int],
        outputs: int | Sequence[int],
        *,
        version: int = 1,
        custom_code: str | None = None,
        **options: Any,
    ) -> int:
        """Add an operator of the schema's name `kind` and return its first output.

        Options are named as in the schema in snake_case (`stride_w=2`); enumerations are given by
        their name (`padding="SAME"`, `fused_activation_function="RELU6"`).
        """
        output_list = [outputs] if isinstance(outputs, int) else list(outputs)
        code = (kind, version, custom_code)
        if code not in self._codes:
            self._codes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = self._codes.index(code)
        operator.inputs = list(inputs)
        operator.outputs = output_list
        if kind not in _WITHOUT_OPTIONS:
            name = _options_name(kind)
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            operator.builtinOptions = _options(name, options)
        elif options:
            raise ValueError(f"{kind} has no options")
        self._operators.append(operator)
        return output_list[0]

    def build(self, outputs: Sequence[int], inputs: Sequence[int] | None = None) -> bytes:
        """Return the model file. `inputs` defaults to those made with `input`, in that order."""
        subgraph = schema.SubGraphT()
        subgraph.name = "main"
        subgraph.tensors = self._tensors
        subgraph.operators = self._operators
        subgraph.inputs = list(self._inputs if inputs is None else inputs)
        subgraph.outputs = list(outputs)
        model = schema.ModelT()
        model.version = 3
        model.description = "built by a test"
        model.operatorCodes = [_operator_code(*code) for code in self._codes]
        model.subgraphs = [subgraph]
        model.buffers = self._buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def _quantization(
    scale: float | Sequence[float], zero_point: int | Sequence[int], axis: int | None
) -> schema.QuantizationParametersT:
    scales: NDArray[np.float32] = np.atleast_1d(np.asarray(scale, np.float32))
    zero_points = np.broadcast_to(np.asarray(zero_point, np.int64), scales.shape)
    quantization = schema.QuantizationParametersT()
    quantization.scale = [float(value) for value in scales]
    quantization.zeroPoint = [int(value) for value in zero_points]
    quantization.quantizedDimension = axis or 0
    return quantization


def _options_name(kind: str) -> str:
    if kind in _OPTIONS_NAMES:
        return _OPTIONS_NAMES[kind]
    return "".join(word.capitalize() for word in kind.split("_")) + "Options"


def _options(name: str, values: dict[str, Any]) -> Any:
    options = getattr(schema, name + "T")()
    for key, value in values.items():
        first, *rest = key.split("_")
        field = first + "".join(word.capitalize() for word in rest)
        if not hasattr(options, field):
            raise ValueError(f"{name} has no field {field}")
        enum = _ENUM_OPTIONS.get(field)
        setattr(options, field, getattr(enum, value) if enum else value)
    return options


def _operator_code(kind: str, version: int, custom_code: str | None) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, kind)
    # Files older than schema 3a hold the code in one signed byte; 127 says "look at builtinCode".
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    code.version = version
    code.customCode = custom_code
    return code
