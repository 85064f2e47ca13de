"""Generated C with one wrong number in it: the comparison must point at that very layer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from kernel_case import CORE

from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.target import Target
from tinyml_tool.devices.host import HostModel
from tinyml_tool.firmware.model_sources import model_sources
from tinyml_tool.graph.reader import read_model
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.host import build_host_program
from tinyml_tool.verify.inputs import vectors
from tinyml_tool.verify.parity import Parity, compare

MODEL = Path(__file__).resolve().parents[2] / "examples" / "digits" / "digits.tflite"


def with_param_raised(plan: Plan, layer: int, name: str) -> Plan:
    """The plan with one parameter of one layer's kernel call raised by 1."""
    changed = plan.layers[layer]
    assert changed.call is not None
    assert name in dict(changed.call.params)
    params = tuple(
        (key, value + 1 if key == name and isinstance(value, int) else value)
        for key, value in changed.call.params
    )
    wrong = replace(changed, call=replace(changed.call, params=params))
    return replace(plan, layers=(*plan.layers[:layer], wrong, *plan.layers[layer + 1 :]))


def with_first_number_raised(plan: Plan, layer: int) -> Plan:
    """The plan with the first number of a layer's first constant, a bias, raised by 100,000."""
    changed = plan.layers[layer]
    assert changed.call is not None
    first, *others = changed.call.constants
    values = first.values.copy()
    values.reshape(-1)[0] += 100_000
    wrong = replace(
        changed, call=replace(changed.call, constants=(replace(first, values=values), *others))
    )
    return replace(plan, layers=(*plan.layers[:layer], wrong, *plan.layers[layer + 1 :]))


def parity_of(plan: Plan, folder: Path) -> Parity:
    program = HostModel(build_host_program(model_sources(plan), folder), plan.graph)
    reference = TflmReference(MODEL.read_bytes(), "digits")
    return compare(plan.graph, program, reference, vectors(plan.graph, 10, 0))


@pytest.mark.parametrize(
    ("layer", "param"),
    [
        (0, "patches.shift"),
        (1, "padding"),
        (3, "activation_min"),
        (5, "patches.shift"),
    ],
)
def test_the_first_difference_is_in_the_layer_that_was_spoiled(
    layer: int, param: str, tmp_path: Path
) -> None:
    plan = compile_graph(read_model(MODEL), Target(CORE))
    parity = parity_of(with_param_raised(plan, layer, param), tmp_path)
    assert parity.first_difference is not None
    assert parity.first_difference.place.layer == layer


def test_a_wrong_bias_is_found_in_its_layer(tmp_path: Path) -> None:
    plan = compile_graph(read_model(MODEL), Target(CORE))
    dense = next(
        place for place, layer in enumerate(plan.layers) if layer.operator.kind == "FULLY_CONNECTED"
    )
    parity = parity_of(with_first_number_raised(plan, dense), tmp_path)
    assert parity.first_difference is not None
    assert parity.first_difference.place.layer == dense


def test_the_unspoiled_model_is_exact(tmp_path: Path) -> None:
    assert parity_of(compile_graph(read_model(MODEL), Target(CORE)), tmp_path).exact
