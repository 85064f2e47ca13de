"""Quantization of a float `.tflite` by Google's ai-edge-quantizer, which needs no TensorFlow."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyml_tool.errors import UnsupportedModelError
from tinyml_tool.graph.types import Graph
from tinyml_tool.quantization.options import PortType, QuantizationOptions, Scheme
from tinyml_tool.quantization.ranges import Range
from tinyml_tool.reference.stderr_capture import captured_stderr

BACKEND = "ai-edge-quantizer"


def quantize_with_ai_edge(
    model: bytes,
    graph: Graph,
    ranges: Mapping[int, Range],
    options: QuantizationOptions,
    int16_outputs: tuple[str, ...] = (),
) -> bytes:
    """Quantize with the measured ranges; `int16_outputs` names the outputs of int16x8 layers.

    Every tensor of the file must have a name of its own.  Raises UnsupportedModelError with the
    library's own words where it refuses the model.
    """
    from ai_edge_quantizer import quantizer

    with captured_stderr() as log, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            work = quantizer.Quantizer(bytearray(model), _recipe(options, int16_outputs))
            result = work.quantize(
                _statistics(graph, ranges),
                enable_progress_report=False,
                enable_progress_bar=False,
            )
            return bytes(result.quantized_model or b"")
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
    raise UnsupportedModelError(
        f"ai-edge-quantizer does not quantize {graph.name}: {failure}",
        hint="`tinyml inspect` tells what is unusual in it; for a Keras file try "
        "--backend tensorflow",
        details=log.lines,
    )


def _statistics(graph: Graph, ranges: Mapping[int, Range]) -> dict[str, dict[str, Any]]:
    """What the library calls QSVs: minimum and maximum by tensor name, of the tensor's rank."""
    statistics = {}
    for index, seen in ranges.items():
        tensor = graph.tensor(index)
        shape = (1,) * len(tensor.shape)
        statistics[tensor.name] = {
            "min": np.full(shape, seen.low, np.float32),
            "max": np.full(shape, seen.high, np.float32),
        }
    return statistics


def _recipe(options: QuantizationOptions, int16_outputs: tuple[str, ...]) -> Any:  # noqa: ANN401
    from ai_edge_quantizer import qtyping, recipe_manager

    # Scheme int4 begins as int8: see int4_weights.py.
    kinds = qtyping.TFLOperationName
    recipe = recipe_manager.RecipeManager()
    bits = 16 if options.scheme is Scheme.INT16X8 else 8
    recipe.add_static_config(".*", kinds.ALL_SUPPORTED, bits, 8)
    if options.dense_per_tensor:
        _dense_per_tensor(recipe, ".*", bits, 8)
    for port, chosen in ((kinds.INPUT, options.input), (kinds.OUTPUT, options.output)):
        _add_port(recipe, port, chosen, options.native_type)
    for name in int16_outputs:
        recipe.add_static_config(f"^{re.escape(name)};$", kinds.ALL_SUPPORTED, 16, 8)
        if options.dense_per_tensor:
            _dense_per_tensor(recipe, f"^{re.escape(name)};$", 16, 8)
    return recipe.get_quantization_recipe()


def _dense_per_tensor(recipe: Any, layers: str, bits: int, weight_bits: int) -> None:  # noqa: ANN401
    """One scale for the weights of dense layers whose output is named like `layers`."""
    from ai_edge_quantizer import qtyping

    kind = qtyping.TFLOperationName.FULLY_CONNECTED
    one = qtyping.QuantGranularity.TENSORWISE
    recipe.add_static_config(layers, kind, bits, weight_bits, one)


def _add_port(recipe: Any, port: Any, chosen: PortType, native: PortType) -> None:  # noqa: ANN401
    from ai_edge_quantizer import algorithm_manager, qtyping

    if chosen is native:
        return
    if chosen is PortType.FLOAT:
        no_change = algorithm_manager.AlgorithmName.NO_QUANTIZE
        recipe.add_quantization_config(".*", port, algorithm_key=no_change)
        return
    kinds = qtyping.TensorDataType
    values = qtyping.TensorQuantizationConfig(
        num_bits=16 if chosen is PortType.INT16 else 8,
        symmetric=chosen is PortType.INT16,
        granularity=qtyping.QuantGranularity.TENSORWISE,
        dtype=kinds.UINT if chosen is PortType.UINT8 else kinds.INT,
    )
    weights = qtyping.TensorQuantizationConfig(num_bits=8, symmetric=True)
    recipe.add_quantization_config(
        ".*",
        port,
        qtyping.OpQuantizationConfig(
            activation_tensor_config=values,
            weight_tensor_config=weights,
            compute_precision=qtyping.ComputePrecision.INTEGER,
        ),
    )
