"""Kernels chosen by measuring: any mixture of bodies is exact, and the least is taken."""

import json
from pathlib import Path

import pytest
from command import tinyml

import tinyml_tool as tt
from tinyml_tool.api import tune as tuning
from tinyml_tool.api.engines import EngineOptions
from tinyml_tool.api.generate import compile_for, write_generated
from tinyml_tool.api.model_source import load_model
from tinyml_tool.boards import load_board
from tinyml_tool.compiler.target import Target, bodies_for
from tinyml_tool.errors import InputError
from tinyml_tool.reference.tflm import TflmReference

DIGITS = Path(__file__).parents[2] / "examples" / "digits" / "digits.tflite"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def project_with(bodies, board, folder):
    source, chosen = load_model(DIGITS), load_board(board)
    plan = compile_for(source, chosen, options=EngineOptions(bodies=bodies))
    reference = TflmReference(source.data, "digits")
    return write_generated(source, plan, board=chosen, output=folder, reference=reference)


@pytest.mark.parametrize(
    ("board", "names"),
    [
        ("qemu-m0", []),
        ("qemu-m3", ["armv6-m"]),
        ("qemu-m4", ["armv7-m", "armv6-m"]),
        ("qemu-m55", ["dsp", "armv7-m", "armv6-m"]),
        ("esp32", []),
    ],
)
def test_a_core_runs_the_kernels_of_simpler_ones(board, names):
    assert list(bodies_for(load_board(board).core)) == names


def test_a_layer_without_a_body_of_its_own_has_the_core_s():
    target = Target(load_board("qemu-m55").core, bodies=((2, "dsp"),))
    assert target.of_layer(1) == target
    assert not target.of_layer(2).core.mve
    assert target.of_layer(2).core.dsp


@pytest.mark.parametrize(
    ("board", "bodies"),
    [
        ("qemu-m4", ((0, "armv7-m"), (1, "armv6-m"), (8, "armv6-m"))),
        ("qemu-m55", ((0, "dsp"), (1, "armv7-m"), (2, "armv6-m"), (6, "armv6-m"), (8, "dsp"))),
    ],
)
def test_a_mixture_of_bodies_is_exact_and_known_to_every_command(board, bodies, tmp_path):
    project = project_with(bodies, board, tmp_path / "project").project
    manifest = json.loads((project / "manifest.json").read_text())
    assert manifest["bodies"] == {str(layer): body for layer, body in bodies}
    evidence = tt.validate(project, system="cmake", vectors=4)
    assert evidence.parity.exact
    own = tt.inspect(DIGITS, board=board)
    kernels = {layer.layer: layer.kernel for layer in tt.profile(project, system="cmake").layers}
    before = {layer.index: layer.kernel for layer in own.layers}
    assert kernels[1] != before[1]
    assert kernels[5] == before[5]


def test_a_project_with_unknown_bodies_is_refused_with_the_way_out(tmp_path):
    project = project_with(((1, "armv6-m"),), "qemu-m4", tmp_path / "project").project
    path = project / "manifest.json"
    path.write_text(path.read_text().replace('"armv6-m"', '"armv9"'))
    with pytest.raises(InputError, match="armv9"):
        tt.profile(project)


def test_tuning_takes_the_least_count_and_tells_why(tmp_path, monkeypatch):
    counts = {"own": 500, "armv7-m": 400, "armv6-m": 600}
    asked = []

    def measured(source, plan, board, system):
        body = plan.bodies[0][1] if plan.bodies else "own"
        asked.append(body)
        cycles = 2000 - counts[body]
        return {place: tuning._Cost(counts[body], cycles) for place in range(len(plan.layers))}

    monkeypatch.setattr(tuning, "_measured", measured)
    source, board = load_model(DIGITS), load_board("qemu-m4")
    found = tuning.tune(source, board, EngineOptions())
    assert asked == list(counts)
    by_layer = {layer.layer: layer for layer in found.layers}
    assert dict(found.bodies)[0] == "armv7-m"
    assert by_layer[0].reason == (
        "conv_2d_s8_lanes of armv7-m measured 400, next best conv_2d_s8_patches 500 instructions; "
        "by estimated cycles conv_2d_s8_lanes of armv6-m 1,400, not 1,600"
    )
    # Only one kernel: nothing to choose.
    assert 9 not in by_layer
    # All is known now.
    assert tuning.tune(source, board, EngineOptions()) == found
    assert asked == list(counts)


def test_other_kernel_sources_are_measured_again(monkeypatch):
    layer = compile_for(load_model(DIGITS), load_board("qemu-m4")).layers[0]
    key = tuning._key(layer, load_board("qemu-m4"), EngineOptions())
    assert key == tuning._key(layer, load_board("qemu-m4"), EngineOptions())
    assert key != tuning._key(layer, load_board("qemu-m7"), EngineOptions())
    assert key != tuning._key(layer, load_board("qemu-m4"), EngineOptions("speed"))
    monkeypatch.setattr(tuning, "_kernel_sources", lambda: "another")
    assert key != tuning._key(layer, load_board("qemu-m4"), EngineOptions())


def test_the_size_preset_and_engine_tflm_have_nothing_to_tune(tmp_path):
    for options in (("--optimize", "size"), ("--engine", "tflm")):
        result = tinyml("generate", DIGITS, "--tune", *options, "--output", tmp_path / "x")
        assert result.code == 2, result.stderr
        assert "leave --tune out" in result.stderr


def test_generate_tunes_and_tells_the_choice_of_each_layer(tmp_path):
    result = tinyml(
        "generate", DIGITS, "--tune", "--board", "qemu-m3", "--output", tmp_path / "x", "--json"
    )
    assert result.code == 0, result.stderr
    layers = result.envelope["result"]["tuning"]
    assert [layer["layer"] for layer in layers]
    for layer in layers:
        counts = [candidate["instructions"] for candidate in layer["candidates"]]
        assert counts == sorted(counts)
        assert all(counts)
        assert f"measured {counts[0]:,}, next best" in layer["reason"]


def test_a_model_with_features_and_answers_inside_is_tuned_too(tmp_path):
    """What is measured is the network alone; what is generated has all of it."""
    model = tmp_path / "digits.tflite"
    model.write_bytes(DIGITS.read_bytes())
    tt.store_features(model, tt.load_features(DIGITS.parent / "features.toml"))
    tt.store_answer(model, {"labels": [f"a {n}" for n in range(10)]})
    found = tuning.tune(load_model(model), load_board("qemu-m4"), EngineOptions())
    assert found.layers
    assert all(layer.candidates[0].instructions for layer in found.layers)
