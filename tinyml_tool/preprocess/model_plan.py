"""The preprocessing of one model: its spec must make what the model's input takes."""

from __future__ import annotations

from typing import cast

from tinyml_tool.errors import InputError
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import Graph, Tensor
from tinyml_tool.preprocess.model_features import model_with_features
from tinyml_tool.preprocess.plan import C_NAMES, FeaturePlan, ValueFormat, ValueType
from tinyml_tool.preprocess.planning import plan_features
from tinyml_tool.preprocess.spec import FeatureSpec


def plan_for_model(spec: FeatureSpec, graph: Graph) -> FeaturePlan:
    """The plan that makes the one input of `graph`.

    Raises InputError where the features do not fit that, ConfigError where the spec cannot be
    computed as it is.
    """
    tensor = the_input(graph)
    if not fits_shape(spec.shape, tensor.shape):
        raise InputError(
            f"{graph.name}: [features] make {_shape(spec.shape)} values, but the model's input "
            f"'{tensor.name}' takes {_shape(tensor.shape)}",
            hint="write the features that this model was trained on",
        )
    return plan_features(spec, value_format(tensor))


def carrying(model: bytes, spec: FeatureSpec | None, name: str) -> bytes:
    """The model with `spec` in its metadata; without one as it is.

    Raises InputError where the features are not what the model takes.
    """
    if spec is None:
        return model
    plan_for_model(spec, parse_model(model, name))
    return model_with_features(model, spec, name)


def the_input(graph: Graph) -> Tensor:
    """The only input.  Raises InputError where there are several."""
    if len(graph.inputs) != 1:
        raise InputError(
            f"{graph.name}: has {len(graph.inputs)} inputs; [features] are for models with one"
        )
    return graph.tensors[graph.inputs[0]]


def value_format(tensor: Tensor) -> ValueFormat:
    """Type and quantization of an input.  Raises InputError where features cannot be stored so."""
    name = tensor.dtype.value
    if name == "float32":
        return ValueFormat()
    quantization = tensor.quantization
    if name not in C_NAMES or quantization is None or quantization.per_channel:
        raise InputError(
            f"the model's input {tensor} is neither float32 nor int8, uint8 or int16 with a scale",
            hint="quantize the model with full-integer quantization",
        )
    return ValueFormat(cast("ValueType", name), quantization.scale, quantization.zero_point)


def fits_shape(features: tuple[int, ...], tensor: tuple[int, ...]) -> bool:
    """Whether features are the tensor's values in its order: axes of length 1 do not count.

    >>> fits_shape((49, 10), (1, 49, 10, 1)), fits_shape((49, 10), (1, 490))
    (True, True)
    """
    wanted = tuple(side for side in tensor if side != 1)
    made = tuple(side for side in features if side != 1)
    flat = 1
    for side in made:
        flat *= side
    return wanted in (made, (flat,))


def _shape(sides: tuple[int, ...]) -> str:
    return " x ".join(map(str, sides))
