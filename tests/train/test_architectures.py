"""Every architecture goes the whole way: fitted, converted to int8, compiled by engine aot."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from training_case import needs_tensorflow

import tinyml_tool as tt
from tinyml_tool.boards import load_board
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.target import Target
from tinyml_tool.graph.reader import read_model
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.train.architecture import known_architectures, read_architecture
from tinyml_tool.train.engine_process import engine_python
from tinyml_tool.verify.inputs import vectors

pytestmark = needs_tensorflow

CASES = {
    "cnn:width=0.5,depth=2": (8, 8, 1),
    "ds_cnn:width=0.25,depth=1,kernel=10x4": (24, 10, 1),
    "mobilenet_v1:width=0.125,depth=3": (16, 16, 3),
    "resnet8:width=0.25,depth=2": (8, 8, 3),
    "conv1d:width=0.25,depth=2": (40, 6),
    "tcn:width=0.5,depth=2": (40, 6),
    "lstm:width=0.5": (4, 6),
    "mlp:width=0.5": (8, 8, 1),
    "autoencoder:width=0.25,depth=1": (40,),
}
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder an architecture with `int8.tflite`."""
    folder = tmp_path_factory.mktemp("models")
    cases = [
        {"architecture": read_architecture(spec).to_json(), "shape": shape}
        for spec, shape in CASES.items()
    ]
    (folder / "cases.json").write_text(json.dumps(cases))
    script = Path(__file__).with_name("int8_models.py")
    done = subprocess.run(
        [engine_python(), script, folder, folder / "cases.json"],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


# In one test, because each process that runs tests would make the models again.
def test_every_architecture_is_accepted_by_engine_aot_and_by_the_reference(models: Path) -> None:
    problems: list[str] = []
    for name in known_architectures():
        path = models / name / "int8.tflite"
        graph = read_model(path)
        ends = [graph.tensor(index) for index in (*graph.inputs, *graph.outputs)]
        assert {(end.shape[0], end.dtype.numpy) for end in ends} == {(1, np.dtype(np.int8))}
        reference = TflmReference(path.read_bytes(), name)
        answers = {reference.run(one)[0].tobytes() for one in vectors(graph, 12, 0)}
        if len(answers) < 2:
            problems.append(f"{name}: answers all inputs alike")
        compile_graph(graph, Target(load_board("qemu-m4").core))
    assert problems == []


@pytest.mark.slow
@pytest.mark.parametrize("name", known_architectures())
def test_its_int8_model_answers_on_the_device_as_in_the_reference(
    models: Path, name: str, tmp_path: Path
) -> None:
    shape = next(shape for spec, shape in CASES.items() if read_architecture(spec).name == name)
    samples = np.random.default_rng(0).normal(1, 1, (20, *shape)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=samples, y=np.arange(20) % 3)
    found = tt.evaluate(
        models / name / "int8.tflite",
        data=tmp_path / "data.npz",
        on="qemu-m4",
        normal="0" if name == "autoencoder" else None,
    )
    assert found.device is not None
    assert found.device.agreement.exact


def test_the_cases_name_all_architectures() -> None:
    assert {read_architecture(spec).name for spec in CASES} == set(known_architectures())
