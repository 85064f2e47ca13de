"""Proves that what the graph passes leave of a model answers bit for bit like the model."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from graph_file import graph_file
from kernel_case import CORE, extreme_inputs, random_inputs
from numpy.typing import NDArray

from tinyml_tool.boards import Core
from tinyml_tool.compiler.compile import compile_rewritten
from tinyml_tool.compiler.target import Target
from tinyml_tool.config import Optimize
from tinyml_tool.devices.host import HostModel
from tinyml_tool.firmware.model_sources import model_sources
from tinyml_tool.graph.passes.registry import PASSES
from tinyml_tool.graph.passes.rewrite import Rewriting, rewrite
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.host import build_host_program
from tinyml_tool.verify.parity import Parity, compare, require_agreement


def rewritten(model: bytes, only: Collection[str] | None = None) -> Rewriting:
    """The model after all passes, or after those named alone."""
    without = () if only is None else set(PASSES) - set(only)
    return rewrite(parse_model(model, "case"), without)


def inputs_for(rewriting: Rewriting, seed: int = 0) -> list[list[NDArray[Any]]]:
    """Two random inputs and one of extremes."""
    rng, graph = np.random.default_rng(seed), rewriting.original
    return [random_inputs(graph, rng), random_inputs(graph, rng), extreme_inputs(graph, rng)]


def assert_answers_alike(
    rewriting: Rewriting,
    model: bytes,
    seed: int = 0,
    *,
    core: Core = CORE,
    optimize: Optimize = "balanced",
    sanitize: bool = False,
) -> Parity:
    """Compare the C of the rewritten graph, and its own `.tflite`, with the model in TFLM.

    Every value that is left of every layer, every value foretold, and the outputs.
    """
    batch = inputs_for(rewriting, seed)
    reference = TflmReference(model, "case")
    plan = compile_rewritten(rewriting, Target(core, optimize))
    with tempfile.TemporaryDirectory() as folder:
        program = build_host_program(model_sources(plan), Path(folder), sanitize=sanitize)
        parity = compare(
            plan.rewriting or rewriting, HostModel(program, plan.graph), reference, batch
        )
    require_agreement("the rewritten graph", parity)
    assert_reference_agrees(rewriting, reference, batch)
    return parity


def assert_reference_agrees(
    rewriting: Rewriting, reference: TflmReference, batch: Sequence[Sequence[NDArray[Any]]]
) -> None:
    """Run the rewritten graph as a model file in the reference, too, where a file can hold it."""
    if any(getattr(op.options, "pad_before", None) for op in rewriting.graph.operators):
        return
    other = TflmReference(graph_file(rewriting.graph), "rewritten")
    for inputs in batch:
        for expected, actual in zip(reference.run(inputs), other.run(inputs), strict=True):
            np.testing.assert_array_equal(actual, expected)
