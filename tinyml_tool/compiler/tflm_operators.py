"""Which operators TensorFlow Lite Micro has, what its resolver calls them, and on which types."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_tool.graph.types import DType

_FLOAT = frozenset({DType.FLOAT32})
_BOOL = frozenset({DType.BOOL})
_F8 = _FLOAT | {DType.INT8}
_F8_16 = _F8 | {DType.INT16}
_F8_32 = _F8 | {DType.INT32}
_F8_16_32 = _F8_16 | {DType.INT32}
_F8_16_32_64 = _F8_16_32 | {DType.INT64}
_COMPARED = _F8_32 | {DType.INT64}


@dataclass(frozen=True)
class TflmOperator:
    """An operator of `MicroMutableOpResolver`."""

    method: str
    """What registers it, such as `AddConv2D`."""
    types: frozenset[DType] | None = None
    """Element types its kernels compute on; None where every type is moved or TFLM checks more."""
    data_input: int = 0
    """The input whose type that is."""


TFLM_OPERATORS: dict[str, TflmOperator] = {
    "ABS": TflmOperator("AddAbs", _F8_16),
    "ADD": TflmOperator("AddAdd", _F8_16_32),
    "ADD_N": TflmOperator("AddAddN", _F8),
    "ARG_MAX": TflmOperator("AddArgMax", _F8),
    "ARG_MIN": TflmOperator("AddArgMin", _F8),
    "ASSIGN_VARIABLE": TflmOperator("AddAssignVariable"),
    "AVERAGE_POOL_2D": TflmOperator("AddAveragePool2D", _F8_16),
    "BATCH_MATMUL": TflmOperator("AddBatchMatMul", _F8_16),
    "BATCH_TO_SPACE_ND": TflmOperator("AddBatchToSpaceNd", _F8),
    "BROADCAST_ARGS": TflmOperator("AddBroadcastArgs"),
    "BROADCAST_TO": TflmOperator("AddBroadcastTo"),
    "CALL_ONCE": TflmOperator("AddCallOnce"),
    "CAST": TflmOperator("AddCast", _F8_16_32 | _BOOL),
    "CEIL": TflmOperator("AddCeil", _FLOAT),
    "CONCATENATION": TflmOperator("AddConcatenation", _F8_16_32_64 | _BOOL),
    "CONV_2D": TflmOperator("AddConv2D", _F8_16),
    "COS": TflmOperator("AddCos", _FLOAT),
    "CUMSUM": TflmOperator("AddCumSum", _F8),
    "DEPTHWISE_CONV_2D": TflmOperator("AddDepthwiseConv2D", _F8_16),
    "DEPTH_TO_SPACE": TflmOperator("AddDepthToSpace", _F8),
    "DEQUANTIZE": TflmOperator("AddDequantize", frozenset({DType.INT8, DType.INT16, DType.UINT8})),
    "DIV": TflmOperator("AddDiv", _F8_32),
    "DYNAMIC_UPDATE_SLICE": TflmOperator("AddDynamicUpdateSlice", _F8_16_32),
    "ELU": TflmOperator("AddElu", _F8),
    "EMBEDDING_LOOKUP": TflmOperator("AddEmbeddingLookup", _F8, data_input=1),
    "EQUAL": TflmOperator("AddEqual", _COMPARED | _BOOL),
    "EXP": TflmOperator("AddExp", _FLOAT),
    "EXPAND_DIMS": TflmOperator("AddExpandDims", _F8_16),
    "FILL": TflmOperator("AddFill", _F8_32, data_input=1),
    "FLOOR": TflmOperator("AddFloor", _FLOAT),
    "FLOOR_DIV": TflmOperator("AddFloorDiv", _FLOAT),
    "FLOOR_MOD": TflmOperator("AddFloorMod", _FLOAT),
    "FULLY_CONNECTED": TflmOperator("AddFullyConnected", _F8_16),
    "GATHER": TflmOperator("AddGather", _F8),
    "GATHER_ND": TflmOperator("AddGatherNd", _F8),
    "GREATER": TflmOperator("AddGreater", _COMPARED | {DType.INT16}),
    "GREATER_EQUAL": TflmOperator("AddGreaterEqual", _COMPARED),
    "HARD_SWISH": TflmOperator("AddHardSwish", _F8),
    "IF": TflmOperator("AddIf", _BOOL),
    "L2_NORMALIZATION": TflmOperator("AddL2Normalization", _F8),
    "L2_POOL_2D": TflmOperator("AddL2Pool2D", _FLOAT),
    "LEAKY_RELU": TflmOperator("AddLeakyRelu", _F8_16),
    "LESS": TflmOperator("AddLess", _COMPARED),
    "LESS_EQUAL": TflmOperator("AddLessEqual", _COMPARED),
    "LOG": TflmOperator("AddLog", _FLOAT),
    "LOGICAL_AND": TflmOperator("AddLogicalAnd", _BOOL),
    "LOGICAL_NOT": TflmOperator("AddLogicalNot", _BOOL),
    "LOGICAL_OR": TflmOperator("AddLogicalOr", _BOOL),
    "LOGISTIC": TflmOperator("AddLogistic", _F8_16),
    "LOG_SOFTMAX": TflmOperator("AddLogSoftmax", _F8),
    "MAXIMUM": TflmOperator("AddMaximum", _F8_16_32_64),
    "MAX_POOL_2D": TflmOperator("AddMaxPool2D", _F8_16),
    "MEAN": TflmOperator("AddMean", _F8_16),
    "MINIMUM": TflmOperator("AddMinimum", _F8_16_32_64),
    "MIRROR_PAD": TflmOperator("AddMirrorPad", _F8),
    "MUL": TflmOperator("AddMul", _F8_16_32),
    "NEG": TflmOperator("AddNeg", _FLOAT),
    "NOT_EQUAL": TflmOperator("AddNotEqual", _COMPARED | _BOOL),
    "PACK": TflmOperator("AddPack", _F8_16_32_64),
    "PAD": TflmOperator("AddPad", _F8_16_32),
    "PADV2": TflmOperator("AddPadV2", _F8_16_32),
    "PRELU": TflmOperator("AddPrelu", _F8_16),
    "QUANTIZE": TflmOperator("AddQuantize", _F8_16_32 | {DType.UINT8}),
    "READ_VARIABLE": TflmOperator("AddReadVariable"),
    "REDUCE_ALL": TflmOperator("AddReduceAll", _BOOL),
    "REDUCE_MAX": TflmOperator("AddReduceMax", _F8),
    "REDUCE_MIN": TflmOperator("AddReduceMin", _F8),
    "RELU": TflmOperator("AddRelu", _F8_16),
    "RELU6": TflmOperator("AddRelu6", _F8_16),
    "RESHAPE": TflmOperator("AddReshape"),
    "RESIZE_BILINEAR": TflmOperator("AddResizeBilinear", _F8),
    "RESIZE_NEAREST_NEIGHBOR": TflmOperator("AddResizeNearestNeighbor", _F8_16),
    "REVERSE_V2": TflmOperator("AddReverseV2", _F8_16_32_64 | _BOOL | {DType.UINT8}),
    "ROUND": TflmOperator("AddRound", _FLOAT),
    "RSQRT": TflmOperator("AddRsqrt", _F8),
    "SELECT_V2": TflmOperator("AddSelectV2", _F8_16, data_input=1),
    "SHAPE": TflmOperator("AddShape"),
    "SIN": TflmOperator("AddSin", _FLOAT),
    "SLICE": TflmOperator("AddSlice", _F8_16_32 | _BOOL),
    "SOFTMAX": TflmOperator("AddSoftmax", _F8_16),
    "SPACE_TO_BATCH_ND": TflmOperator("AddSpaceToBatchNd", _F8),
    "SPACE_TO_DEPTH": TflmOperator("AddSpaceToDepth", _F8),
    "SPLIT": TflmOperator("AddSplit", _F8_16_32, data_input=1),
    "SPLIT_V": TflmOperator("AddSplitV", _F8_16_32),
    "SQRT": TflmOperator("AddSqrt", _FLOAT),
    "SQUARE": TflmOperator("AddSquare", _FLOAT),
    "SQUARED_DIFFERENCE": TflmOperator("AddSquaredDifference", _F8_16_32),
    "SQUEEZE": TflmOperator("AddSqueeze"),
    "STRIDED_SLICE": TflmOperator("AddStridedSlice", _F8_16_32 | _BOOL),
    "SUB": TflmOperator("AddSub", _F8_16_32),
    "SUM": TflmOperator("AddSum", _F8_16),
    "SVDF": TflmOperator("AddSvdf", _F8),
    "TANH": TflmOperator("AddTanh", _F8_16),
    "TRANSPOSE": TflmOperator("AddTranspose", _F8_16),
    "TRANSPOSE_CONV": TflmOperator("AddTransposeConv", _F8_16, data_input=2),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": TflmOperator("AddUnidirectionalSequenceLSTM", _F8_16),
    "UNPACK": TflmOperator("AddUnpack", _F8_16_32),
    "VAR_HANDLE": TflmOperator("AddVarHandle"),
    "WHILE": TflmOperator("AddWhile"),
    "ZEROS_LIKE": TflmOperator("AddZerosLike", _F8_32 | {DType.INT64}),
    "CUSTOM:CIRCULAR_BUFFER": TflmOperator("AddCircularBuffer"),
    "CUSTOM:SignalDelay": TflmOperator("AddDelay"),
    "CUSTOM:SignalEnergy": TflmOperator("AddEnergy"),
    "CUSTOM:SignalFftAutoScale": TflmOperator("AddFftAutoScale"),
    "CUSTOM:SignalFilterBank": TflmOperator("AddFilterBank"),
    "CUSTOM:SignalFilterBankLog": TflmOperator("AddFilterBankLog"),
    "CUSTOM:SignalFilterBankSpectralSubtraction": TflmOperator("AddFilterBankSpectralSubtraction"),
    "CUSTOM:SignalFilterBankSquareRoot": TflmOperator("AddFilterBankSquareRoot"),
    "CUSTOM:SignalFramer": TflmOperator("AddFramer"),
    "CUSTOM:SignalIrfft": TflmOperator("AddIrfft"),
    "CUSTOM:SignalOverlapAdd": TflmOperator("AddOverlapAdd"),
    "CUSTOM:SignalPCAN": TflmOperator("AddPCAN"),
    "CUSTOM:SignalRfft": TflmOperator("AddRfft"),
    "CUSTOM:SignalStacker": TflmOperator("AddStacker"),
    "CUSTOM:SignalWindow": TflmOperator("AddWindow"),
    "CUSTOM:TFLite_Detection_PostProcess": TflmOperator("AddDetectionPostprocess"),
    "CUSTOM:TFLM_DECODE": TflmOperator("AddDecode"),
}
"""By schema name: what MicroMutableOpResolver can register (upstream, August 2026)."""
