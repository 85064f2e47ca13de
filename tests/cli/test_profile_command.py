"""`tinyml profile`: what each layer costs, exact enough to add up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from command import tinyml
from small_models import small_model

import tinyml_tool as tt
from tinyml_tool.api.profile import Profile


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("profile")
    (folder / "small.tflite").write_bytes(small_model())
    tt.generate(folder / "small.tflite", output=folder / "project")
    return folder / "project"


@pytest.fixture(scope="module")
def result(project: Path) -> Profile:
    return tt.profile(project, system="cmake")


def test_the_layers_add_up_to_the_inference(result: Profile) -> None:
    assert result.instructions is not None
    layers = sum(layer.instructions or 0 for layer in result.layers)
    # A layer's call is not quite the same with an observer behind it.
    assert abs(layers - result.instructions) <= 8 * len(result.layers)
    assert sum(layer.share for layer in result.layers) == pytest.approx(1, abs=1e-4)


def test_the_counts_are_the_same_every_time(project: Path, result: Profile) -> None:
    again = tt.profile(project, system="cmake")
    # The most stack in use holds the frames of interrupts, wherever they came.
    assert replace(again, stack_bytes=result.stack_bytes) == result


def test_a_layer_tells_its_kernel_its_work_and_its_bytes(result: Profile) -> None:
    first = result.layers[0]
    assert (first.layer, first.kind) == (0, "CONV_2D")
    assert first.kernel is not None
    assert first.macs == 4 * 4 * 4 * 9
    assert first.weight_bytes == 4 * 9 + 4 * 4
    assert first.activation_bytes == 64 + 64
    assert first.instructions is not None
    assert first.instructions_per_mac == round(first.instructions / first.macs, 3)


def test_a_layer_that_computes_nothing_costs_nothing(result: Profile) -> None:
    reshape = next(layer for layer in result.layers if layer.kind == "RESHAPE")
    assert (reshape.kernel, reshape.instructions) == (None, 0)


def test_the_command_shows_the_layers_and_the_total(project: Path) -> None:
    shown = tinyml("profile", project, "--with", "cmake")
    assert shown.code == 0
    assert "per MAC" in shown.stdout
    assert "instructions for one inference" in shown.stdout


def test_the_command_gives_all_of_it_as_json(project: Path, result: Profile) -> None:
    told = tinyml("profile", project, "--with", "cmake", "--json").envelope["result"]
    assert told["instructions"] == result.instructions
    assert [layer["instructions"] for layer in told["layers"]] == [
        layer.instructions for layer in result.layers
    ]


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    assert tinyml("profile", tmp_path).code == 2
