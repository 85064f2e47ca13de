"""All families of random layers: what is drawn, how it becomes a model, how that is compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from kernel_case import assert_bit_exact, assert_bit_exact_on_random_inputs
from model_builder import ModelBuilder
from moved_tensors import assert_moves_like_the_reference
from operator_strategies import model_of, seeds
from test_activation import EVERY_BYTE, activations, add_activation
from test_arg_max import add_arg_max, arg_maxes
from test_concatenation import add_concatenation, concatenations
from test_convolution import add_convolution, convolutions
from test_dsp_kernels import dense_convolutions, depthwise_3x3
from test_elementwise import ARITHMETIC, add_elementwise, elementwise_operators
from test_fully_connected import add_fully_connected, fully_connected_layers
from test_int4_weights import add_layer as add_int4_layer
from test_int4_weights import dense_layers, windows
from test_int16_sums import add_layer, random_layer
from test_mean import add_mean, means
from test_mve_kernels import wide_convolutions, wide_depthwise
from test_pad import add_pad, paddings
from test_pooling import add_pooling, poolings
from test_quantize import ALL_PAIRS, add_conversion, conversions, values_for
from test_resize import add_resize, resizes
from test_shape import add_change, changes_of_shape
from test_slicing import add_split, add_strided_slice, splits, strided_slices
from test_softmax import add_softmax, softmaxes
from test_transpose import add_transpose, transposes

Compare = Callable[..., int]
"""(model, cases, sanitize=, core=, optimize=) -> values compared; fails where one differs."""


@dataclass(frozen=True)
class Family:
    """Layers of one kind."""

    name: str
    cases: st.SearchStrategy[Any]
    add: Callable[[ModelBuilder, Any], Any]
    compare: Compare
    share: int = 1
    """How often it gets its turn."""
    per_model: int = 30

    def draw(self, seed: int) -> list[Any]:
        """Cases enough for a model; the same for the same seed and version of Hypothesis."""
        found: list[Any] = []

        # The first example is the simplest, whatever the seed.
        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=self.per_model + 1,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(self.cases)
        def collect(case: Any) -> None:
            found.append(case)

        collect()
        return found[1 : self.per_model + 1]

    def model(self, cases: Sequence[Any]) -> bytes:
        """One model with a layer for each case."""
        return model_of(cases, self.add)


def _on_random_inputs(model: bytes, cases: Sequence[Any], **how: Any) -> int:
    return assert_bit_exact_on_random_inputs(model, len(model), **how)


def _on_every_byte(model: bytes, cases: Sequence[Any], **how: Any) -> int:
    return assert_bit_exact(model, [EVERY_BYTE] * len(cases), **how)


def _on_random_bits(model: bytes, cases: Sequence[Any], **how: Any) -> int:
    return assert_moves_like_the_reference(model, **how)


def _on_values_of_the_type(model: bytes, cases: Sequence[Any], **how: Any) -> int:
    return assert_bit_exact(model, [values_for(case) for case in cases], **how)


def _int16(kind: str) -> tuple[st.SearchStrategy[Any], Callable[[ModelBuilder, Any], int]]:
    def draw(seed: int) -> Any:
        return random_layer(kind, np.random.default_rng(seed)), seed

    def add(builder: ModelBuilder, case: Any) -> int:
        layer, seed = case
        return add_layer(builder, layer, np.random.default_rng(seed))

    return seeds().map(draw), add


def _moved(name: str, cases: st.SearchStrategy[Any], add: Any, per_model: int = 30) -> Family:
    return Family(name, cases, add, _on_random_bits, per_model=per_model)


FAMILIES = (
    Family("conv_2d", convolutions("CONV_2D"), add_convolution, _on_random_inputs, 3),
    Family("dense_conv_2d", dense_convolutions(), add_convolution, _on_random_inputs, 3),
    Family("wide_conv_2d", wide_convolutions(), add_convolution, _on_random_inputs, 2),
    Family("depthwise", convolutions("DEPTHWISE_CONV_2D"), add_convolution, _on_random_inputs, 2),
    Family("depthwise_3x3", depthwise_3x3(), add_convolution, _on_random_inputs, 3),
    Family("wide_depthwise", wide_depthwise(), add_convolution, _on_random_inputs, 2),
    Family("fully_connected", fully_connected_layers(), add_fully_connected, _on_random_inputs, 3),
    Family(
        "fully_connected_per_tensor",
        fully_connected_layers(per_channel=(False,)),
        add_fully_connected,
        _on_random_inputs,
    ),
    Family("pooling", poolings(), add_pooling, _on_random_inputs, 2),
    Family("arithmetic", elementwise_operators(ARITHMETIC), add_elementwise, _on_random_inputs, 2),
    Family(
        "selection",
        elementwise_operators(["MAXIMUM", "MINIMUM"]),
        add_elementwise,
        _on_random_inputs,
    ),
    Family("mean", means(), add_mean, _on_random_inputs),
    Family("softmax", softmaxes(), add_softmax, _on_random_inputs),
    Family("activation", activations(), add_activation, _on_every_byte),
    Family("conversion", conversions(ALL_PAIRS), add_conversion, _on_values_of_the_type),
    _moved("arg_max", arg_maxes(), add_arg_max),
    _moved("concatenation", concatenations(), add_concatenation, per_model=20),
    _moved("pad", paddings(), add_pad),
    _moved("resize", resizes(), add_resize),
    _moved("strided_slice", strided_slices(), add_strided_slice),
    _moved("split", splits(), add_split),
    _moved("transpose", transposes(), add_transpose),
    _moved("shape", changes_of_shape(), add_change),
    *(
        Family(f"int16_{kind.lower()}", *_int16(kind), _on_random_inputs)
        for kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
    ),
    Family("int4_windows", windows(), add_int4_layer, _on_random_inputs, 3),
    Family("int4_fully_connected", dense_layers(), add_int4_layer, _on_random_inputs),
)
"""A new family is an entry here; the cores and presets come from the boards."""
