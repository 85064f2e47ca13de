"""The arithmetic of quantization-aware training, and the surgery of pruning, on real digits."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from training_case import needs_tensorflow

from tinyml_tool.graph.reader import read_model
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.train.architecture import read_architecture
from tinyml_tool.train.engine_process import engine_python
from tinyml_tool.verify.conversion import fit_values

pytestmark = needs_tensorflow

PICTURE, SERIES, VECTOR = (8, 8, 1), (8, 8), (64,)
CASES: dict[str, tuple[str, tuple[int, ...], int, bool]] = {
    "resnet8": ("resnet8:width=0.5,depth=2", PICTURE, 8, True),
    "ds_cnn": ("ds_cnn:width=0.25,depth=2", PICTURE, 8, True),
    "ds_cnn-4-bits": ("ds_cnn:width=0.25,depth=1", PICTURE, 4, False),
    "cnn": ("cnn:width=1,depth=2", PICTURE, 8, True),
    "tcn": ("tcn:width=1,depth=2", SERIES, 8, True),
    "mlp": ("mlp:width=1,depth=2", VECTOR, 8, True),
    "lstm": ("lstm:width=0.5", SERIES, 8, False),
    "autoencoder": ("autoencoder:width=0.25,depth=1", VECTOR, 8, True),
    "mixed": ("mixed", PICTURE, 8, False),
}
"""Name: (architecture, shape of a sample, bits of a weight, whether it is pruned, too)."""
QUICK = ("resnet8", "ds_cnn-4-bits", "tcn", "mixed")
REPOSITORY = Path(__file__).resolve().parents[2]
MOST_STEPS_APART = 3
"""Of the output's int8 steps.  The converted model rounds where the fake-quantized graph does, but
after multiplying by a fixed-point number, and it averages in integers: a layer may land one step
beside, and what follows may carry that on."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(QUICK, id="quick"),
        pytest.param(
            tuple(name for name in CASES if name not in QUICK), id="others", marks=pytest.mark.slow
        ),
    ],
)
def models(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("aware")
    cases = {name: case_of(*CASES[name]) for name in request.param}
    (folder / "cases.json").write_text(json.dumps(cases))
    done = subprocess.run(
        [
            engine_python(),
            Path(__file__).with_name("aware_models.py"),
            folder,
            folder / "cases.json",
        ],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def case_of(arch: str, shape: tuple[int, ...], bits: int, prunes: bool) -> dict[str, Any]:
    own = arch == "mixed"  # made by the script itself
    return {
        "architecture": {"name": arch} if own else read_architecture(arch).to_json(),
        "shape": shape,
        "bits": bits,
        "prunes": prunes,
    }


def cases_in(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "cases.json").read_text())
    return found


# In one test each, because each process that runs tests would make the models again.
def test_the_fake_quantized_graph_and_the_converted_model_agree(models: Path) -> None:
    told = {}
    for name in cases_in(models):
        steps, equal, same_class = compared(models, name)
        told[name] = f"{steps} steps apart, {equal:.1%} equal, {same_class:.1%} the same class"
        assert steps <= MOST_STEPS_APART, told
        assert equal > 0.7, told
        assert same_class > 0.97, told
    print(told)


def test_the_converted_model_has_the_trained_ranges_and_folded_layers(models: Path) -> None:
    facts = json.loads((models / "facts.json").read_text())
    for name in cases_in(models):
        assert facts[name]["folding"] < 1e-5, name
        graph = read_model(models / f"{name}.tflite")
        found = {
            (
                round(float(tensor.quantization.scales[0]), 9),
                int(tensor.quantization.zero_points[0]),
            )
            for tensor in graph.tensors
            if tensor.quantization is not None and not tensor.is_constant
        }
        missing = [pair for pair in facts[name]["quantizations"] if not near(pair, found)]
        assert not missing, (name, missing, found)


def test_everything_in_the_converted_model_is_integer(models: Path) -> None:
    for name in cases_in(models):
        floats = [
            tensor.name
            for tensor in read_model(models / f"{name}.tflite").tensors
            if tensor.dtype.numpy == np.float32
        ]
        assert not floats, (name, floats)


def test_models_that_cannot_be_rounded_are_refused_by_name(models: Path) -> None:
    told = json.loads((models / "facts.json").read_text())["refusals"]
    assert "has 2 inputs and 1 outputs" in told["two_inputs"]
    assert told["transposed"].startswith("layer up (Conv2DTranspose) has weights that")


def test_pruning_channels_that_do_nothing_changes_no_answer(models: Path) -> None:
    facts = json.loads((models / "facts.json").read_text())
    for name in (name for name, case in cases_in(models).items() if case["prunes"]):
        one = facts[name]
        assert one["removed"] == one["silent"] > 0, (name, one)
        assert one["parameters"][1] < 0.8 * one["parameters"][0], (name, one)
        assert one["pruning"] < 1e-5, (name, one)


def compared(folder: Path, name: str) -> tuple[int, float, float]:
    """(most output steps apart, share of equal values, share of equal classes)."""
    data = (folder / f"{name}.tflite").read_bytes()
    graph = read_model(folder / f"{name}.tflite")
    reference = TflmReference(data, name)
    source, target = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    with np.load(folder / f"{name}.npz") as file:
        inputs, answers = fit_values(name, file["x"], source), file["answers"]
    got = np.concatenate([reference.run([one.reshape(source.shape)])[0] for one in inputs])
    assert target.quantization is not None
    scale, zero = float(target.quantization.scales[0]), int(target.quantization.zero_points[0])
    wanted = np.rint(answers / scale) + zero
    gap = np.abs(wanted - got.astype(np.int64))
    same = answers.argmax(axis=1) == got.argmax(axis=1)
    return int(gap.max()), float((gap == 0).mean()), float(same.mean())


def near(pair: list[Any], found: set[tuple[float, int]]) -> bool:
    return any(abs(pair[0] - scale) <= 1e-5 * scale and pair[1] == zero for scale, zero in found)
