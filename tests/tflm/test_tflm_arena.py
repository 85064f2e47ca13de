"""The arena that a project gives TFLM: what the reference needed, and a stated margin."""

from __future__ import annotations

import numpy as np
import pytest
from model_builder import ModelBuilder
from shared import shared_model
from tflm_case import SHARED, relu

import tinyml_tool as tt
from tinyml_tool.api.engines import ENGINES, EngineOptions
from tinyml_tool.api.model_source import ModelSource, load_model
from tinyml_tool.boards import load_board
from tinyml_tool.compiler.footprint import check_fits, footprint_estimate
from tinyml_tool.compiler.tflm_arena import (
    ARENA_MARGIN,
    arena_enough,
    arena_for,
    arena_least,
    optimised_kernels_bytes,
)
from tinyml_tool.compiler.tflm_plan import TflmPlan, plan_for_tflm
from tinyml_tool.errors import DoesNotFitError, InputError
from tinyml_tool.graph import Graph, parse_model
from tinyml_tool.reference.tflm import TflmReference

M0, M4, M55 = (load_board(name).core for name in ("qemu-m0", "qemu-m4", "qemu-m55"))

USED_BY_CMSIS_NN = {
    "ad01_int8.tflite": (2_580, 9_268),
    "hello_world_int8.tflite": (772, 916),
    "kws_ref_model.tflite": (22_820, 27_348),
    "person_detect.tflite": (82_308, 82_356),
    "pretrainedResnet_quant.tflite": (54_996, 55_028),
    "vww_96_int8.tflite": (100_708, 100_772),
}
"""Arena in use by upstream's TFLM with CMSIS-NN (commit 90b983c), on Cortex-M4 and Cortex-M55."""


def planned(name: str, board: str) -> TflmPlan:
    plan = ENGINES["tflm"](load_model(shared_model(name)), load_board(board), EngineOptions())
    assert isinstance(plan, TflmPlan)
    return plan


@pytest.mark.parametrize("name", SHARED)
def test_the_arena_is_what_the_reference_needs_and_the_margin(name: str) -> None:
    source = load_model(shared_model(name))
    needed = TflmReference(source.data, name).arena_bytes()
    extra = optimised_kernels_bytes(source.graph, M4)
    expected = -(-(needed + extra + ARENA_MARGIN) // 16) * 16
    assert planned(name, "qemu-m4").arena_bytes == expected


@pytest.mark.parametrize("name", SHARED)
def test_the_arena_is_enough_for_the_optimised_kernels(name: str) -> None:
    on_m4, on_m55 = USED_BY_CMSIS_NN[name]
    assert planned(name, "qemu-m4").arena_bytes >= on_m4
    assert planned(name, "qemu-m55").arena_bytes >= on_m55


def layer(kind: str, weights: tuple[int, ...], dtype: str = "int8", channels: int = 8) -> Graph:
    builder = ModelBuilder()
    x = builder.input(dtype, (1, 9, 9, channels), scale=0.5)
    w = builder.constant(np.zeros(weights), "int8", scale=0.5)
    y = builder.tensor(dtype, (1, 9, 9, 16), scale=0.5)
    options = {"stride_w": 1, "stride_h": 1} if "CONV" in kind else {}
    builder.operator(kind, [x, w, -1], y, **options)
    return parse_model(builder.build([y]), "m")


def test_a_convolution_unrolls_windows() -> None:
    graph = layer("CONV_2D", (16, 3, 3, 8))
    assert optimised_kernels_bytes(graph, M4) == 4 * 72
    assert optimised_kernels_bytes(graph, M0) == 4 * 72
    assert optimised_kernels_bytes(graph, M55) == 4 * 80  # whole vectors of 16


def test_a_pointwise_convolution_takes_nothing() -> None:
    assert optimised_kernels_bytes(layer("CONV_2D", (16, 1, 1, 8)), M55) == 0


def test_a_depthwise_convolution_depends_on_the_core() -> None:
    graph = layer("DEPTHWISE_CONV_2D", (1, 5, 5, 8))
    assert optimised_kernels_bytes(graph, M0) == 0
    assert optimised_kernels_bytes(graph, M4) == 8 * 25 * 2
    assert optimised_kernels_bytes(graph, M55) == 4 * 124 * 25


def test_a_depthwise_convolution_of_3x3_has_a_kernel_of_its_own() -> None:
    graph = layer("DEPTHWISE_CONV_2D", (1, 3, 3, 8))
    assert optimised_kernels_bytes(graph, M4) == 0
    assert optimised_kernels_bytes(graph, M55) == 4 * 124 * 9


def test_fully_connected_layers_keep_sums_on_cores_with_vectors() -> None:
    graph = layer("FULLY_CONNECTED", (16, 8))
    assert optimised_kernels_bytes(graph, M4) == 0
    assert optimised_kernels_bytes(graph, M55) == 4 * 16


def test_float_layers_have_no_optimised_kernels() -> None:
    assert optimised_kernels_bytes(layer("CONV_2D", (16, 3, 3, 8), "float32"), M55) == 0


def test_the_largest_scratch_counts_once() -> None:
    builder = ModelBuilder()
    value = builder.input("int8", (1, 9, 9, 8), scale=0.5)
    for size in (3, 5):
        weights = builder.constant(np.zeros((8, size, size, 8)), "int8", scale=0.5)
        target = builder.tensor("int8", (1, 9, 9, 8), scale=0.5)
        value = builder.operator("CONV_2D", [value, weights, -1], target, stride_w=1, stride_h=1)
    graph = parse_model(builder.build([value]), "m")
    assert arena_for(graph, 1000, M4) == 1000 + 4 * 200 + ARENA_MARGIN


def test_the_user_may_say_how_large_it_is() -> None:
    source = ModelSource(parse_model(relu(), "m"), relu())
    plan = ENGINES["tflm"](source, load_board("qemu-m4"), EngineOptions(arena_bytes=5000))
    assert plan.arena_bytes == 5008


@pytest.mark.parametrize("name", SHARED)
def test_the_least_is_less_than_any_board_needs(name: str) -> None:
    graph = load_model(shared_model(name)).graph
    assert arena_least(graph) < min(USED_BY_CMSIS_NN[name])


@pytest.mark.parametrize("name", SHARED)
def test_enough_is_more_than_is_used_and_less_than_a_project_gets(name: str) -> None:
    graph = load_model(shared_model(name)).graph
    used, _ = USED_BY_CMSIS_NN[name]
    assert used < arena_enough(graph, used) < planned(name, "qemu-m4").arena_bytes


def test_an_arena_that_cannot_hold_the_model_is_refused_with_the_numbers() -> None:
    source = load_model(shared_model("kws_ref_model.tflite"))
    least = arena_least(source.graph)
    with pytest.raises(InputError, match=rf"16,000 bytes is too small.*more than {least:,} bytes"):
        ENGINES["tflm"](source, load_board("qemu-m4"), EngineOptions(arena_bytes=16_000))


def test_engine_aot_takes_no_arena(tmp_path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(relu())
    with pytest.raises(InputError, match="computes its arena itself"):
        tt.generate(path, output=tmp_path / "out", arena_bytes=5000)


def test_there_is_no_other_engine(tmp_path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(relu())
    with pytest.raises(InputError, match="there is no engine 'magic'"):
        tt.generate(path, output=tmp_path / "out", engine="magic")


def test_the_footprint_holds_the_file_and_the_arena() -> None:
    plan = plan_for_tflm(parse_model(relu(), "m"), relu(), 4096)
    footprint = footprint_estimate(plan)
    assert footprint.arena_bytes == 4096
    assert footprint.certain_flash_bytes == len(relu())
    assert footprint.flash_bytes > len(relu()) + 40_000


def test_an_arena_that_no_board_has_is_refused() -> None:
    plan = plan_for_tflm(parse_model(relu(), "m"), relu(), 1 << 30)
    with pytest.raises(DoesNotFitError, match="RAM"):
        check_fits(plan, load_board("qemu-m4"))
