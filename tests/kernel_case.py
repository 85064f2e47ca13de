"""Proves that generated C answers bit for bit like TensorFlow Lite Micro."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tinyml_tool.boards import Core
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.target import Target
from tinyml_tool.config import Optimize
from tinyml_tool.devices.host import HostModel
from tinyml_tool.errors import TinymlError, UnsupportedModelError
from tinyml_tool.firmware.model_sources import model_sources
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import Graph
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.host import build_host_program

CORE = Core(name="cortex-m4", fpu="single", dsp=True)

Arrays = Sequence[NDArray[Any]]


def compile_model(model: bytes, core: Core = CORE, optimize: Optimize = "balanced") -> Plan:
    """The plan of a model file's content."""
    return compile_graph(parse_model(model, "case"), Target(core, optimize))


def unsupported_reasons(model: bytes, core: Core = CORE) -> str:
    """What the compiler says of a model that it must refuse, one line a reason."""
    with pytest.raises(UnsupportedModelError) as caught:
        compile_model(model, core)
    return "\n".join(caught.value.details)


def run_generated(plan: Plan, batch: Sequence[Arrays], *, sanitize: bool = False) -> list[Any]:
    """(outputs, layers) of the generated C for each of the inputs, compiled for this computer."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            program = build_host_program(model_sources(plan), Path(folder), sanitize=sanitize)
            return HostModel(program, plan.graph).run_batch(batch)
        except TinymlError as error:
            failure = "\n".join([error.message, *error.details])
    pytest.fail(failure)


def assert_bit_exact(
    model: bytes,
    *batch: Arrays,
    sanitize: bool = False,
    core: Core = CORE,
    optimize: Optimize = "balanced",
) -> int:
    """Compare every layer of every inference with the reference; returns the values compared.

    Each of `batch` is one inference: an array for each input of the graph.  `sanitize` runs the
    generated C under the address and undefined-behaviour sanitizers.
    """
    plan = compile_model(model, core, optimize)
    reference = TflmReference(model, "case")
    compared = 0
    for inputs, (outputs, layers) in zip(
        batch, run_generated(plan, batch, sanitize=sanitize), strict=True
    ):
        compared += _assert_same_layers(plan.graph, reference.run_layers(inputs), layers)
        for index, expected in zip(plan.graph.outputs, reference.run(inputs), strict=True):
            position = plan.graph.outputs.index(index)
            _assert_same(f"output {position}", expected, outputs[position])
    return compared


def random_inputs(graph: Graph, rng: np.random.Generator) -> list[NDArray[Any]]:
    """One inference's inputs over the whole range of their integer types."""
    arrays = []
    for tensor in (graph.tensors[index] for index in graph.inputs):
        limits = np.iinfo(tensor.dtype.numpy)
        arrays.append(
            rng.integers(limits.min, limits.max, tensor.shape, tensor.dtype.numpy, endpoint=True)
        )
    return arrays


def extreme_inputs(graph: Graph, rng: np.random.Generator) -> list[NDArray[Any]]:
    """One inference's inputs of nothing but the limits of their integer types."""
    arrays = []
    for tensor in (graph.tensors[index] for index in graph.inputs):
        limits = np.iinfo(tensor.dtype.numpy)
        values = np.array([limits.min, limits.max], tensor.dtype.numpy)
        arrays.append(rng.choice(values, tensor.shape))
    return arrays


def assert_bit_exact_on_random_inputs(
    model: bytes,
    seed: int = 0,
    *,
    sanitize: bool = False,
    core: Core = CORE,
    optimize: Optimize = "balanced",
) -> int:
    """`assert_bit_exact` on two random and one extreme input; returns the values compared."""
    graph = parse_model(model, "case")
    rng = np.random.default_rng(seed)
    batch = [random_inputs(graph, rng), random_inputs(graph, rng), extreme_inputs(graph, rng)]
    return assert_bit_exact(model, *batch, sanitize=sanitize, core=core, optimize=optimize)


def _assert_same_layers(
    graph: Graph, expected: Mapping[int, NDArray[Any]], actual: Mapping[int, NDArray[Any]]
) -> int:
    compared = 0
    for operator in graph.operators:
        for tensor in operator.outputs:
            layer = f"layer {operator.index} {operator.kind}, tensor {graph.tensors[tensor]}"
            _assert_same(f"{layer}, {operator.options}", expected[tensor], actual[tensor])
            compared += actual[tensor].size
    return compared


def _assert_same(what: str, expected: NDArray[Any], actual: NDArray[Any]) -> None:
    assert actual.dtype == expected.dtype, f"{what}: type {actual.dtype}, not {expected.dtype}"
    assert actual.size == expected.size, f"{what}: {actual.shape}, not {expected.shape}"
    flat_actual, flat_expected = actual.reshape(-1), expected.reshape(-1)
    # Floats are compared as bits: NaN equals itself, and 0.0 differs from -0.0.
    bits = f"u{actual.dtype.itemsize}"
    different = np.flatnonzero(flat_actual.view(bits) != flat_expected.view(bits))
    if different.size:
        index = np.unravel_index(different[0], actual.shape)
        pytest.fail(
            f"{what}: {different.size} of {actual.size} values differ; first at "
            f"{tuple(int(i) for i in index)}: {flat_actual[different[0]]} instead of "
            f"{flat_expected[different[0]]}"
        )
