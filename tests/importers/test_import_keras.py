"""Needs a Python with TensorFlow; one process makes all models, and each import takes seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from importers.foreign_python import run_there

import tinyml_tool as tt
from tinyml_tool.environments.catalogue import TENSORFLOW
from tinyml_tool.errors import InputError, UnsupportedModelError
from tinyml_tool.graph.types import DType
from tinyml_tool.quantization.lint import lint

MAKE = """
import json, h5py, keras
from keras import layers as L

keras.utils.set_random_seed(1)
i = L.Input((12, 10, 1))
h = L.Conv2D(8, 3, padding="same", activation="relu")(i)
h = L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same")(h))
h = L.GlobalAveragePooling2D()(L.ReLU(6.0)(h))
model = keras.Model(i, L.Dense(4, activation="softmax")(h))
model.save("net.keras")
model.save("old.h5")
model.export("saved")
with h5py.File("old.h5", "r+") as file:
    config = json.loads(file.attrs["model_config"])
    for layer in config["config"]["layers"]:
        if layer["class_name"] == "DepthwiseConv2D":
            layer["config"]["groups"] = 1
    file.attrs["model_config"] = json.dumps(config)

@keras.saving.register_keras_serializable("mine")
class Odd(L.Layer):
    def call(self, x):
        return x * 2

keras.Sequential([L.Input((4,)), Odd(name="one"), L.Dense(2), Odd(name="two")]).save("odd.keras")
x = L.Input((None, 4))
keras.Model(x, L.Dense(2)(x)).save("open.keras")
x = L.Input((6, 4))
keras.Model(x, L.Dense(2)(L.LSTM(5, unroll=True)(x))).save("unrolled.keras")
keras.Model(x, L.Dense(2)(L.LSTM(5)(x))).save("rolled.keras")
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of Keras models."""
    folder = tmp_path_factory.mktemp("keras")
    run_there(TENSORFLOW, MAKE, folder)
    return folder


@pytest.mark.parametrize("name", ["net.keras", "old.h5", "saved"])
def test_a_network_answers_as_in_keras(made: Path, name: str) -> None:
    result = tt.import_model(made / name)
    kinds = [operator.kind for operator in result.graph.operators]
    assert kinds == ["CONV_2D", "DEPTHWISE_CONV_2D", "MEAN", "FULLY_CONNECTED", "SOFTMAX"]
    assert result.comparison.relative < 1e-5
    assert result.graph.tensor(result.graph.inputs[0]).shape == (1, 12, 10, 1)
    assert result.converter.startswith("TensorFlow ")


def test_custom_layers_are_all_named(made: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="custom layers: Odd") as caught:
        tt.import_model(made / "odd.keras")
    assert caught.value.details == ("layer 'one': Odd", "layer 'two': Odd")


def test_an_open_length_is_named_and_can_be_given(made: Path) -> None:
    with pytest.raises(UnsupportedModelError, match="axis 1 has no fixed length"):
        tt.import_model(made / "open.keras")
    graph = tt.import_model(made / "open.keras", shapes=[(1, 7, 4)]).graph
    assert graph.tensor(graph.inputs[0]).shape == (1, 7, 4)


def test_recurrent_layers_work_unrolled_and_are_named_rolled(made: Path) -> None:
    result = tt.import_model(made / "unrolled.keras")
    assert result.comparison.relative < 1e-5
    assert result.graph.tensor(result.graph.inputs[0]).shape == (1, 6, 4)
    with pytest.raises(UnsupportedModelError) as caught:
        tt.import_model(made / "rolled.keras")
    assert any("WHILE" in detail for detail in caught.value.details)


def test_a_damaged_file_is_told(made: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.keras"
    broken.write_bytes((made / "net.keras").read_bytes()[:3000])
    with pytest.raises(InputError, match="does not load the file"):
        tt.import_model(broken, output=tmp_path / "out.tflite")
    assert not (tmp_path / "out.tflite").exists()


@pytest.mark.parametrize("scheme", ["int8", "int16x8"])
@pytest.mark.parametrize("backend", ["tensorflow", "ai-edge"])
def test_both_backends_quantize_it_without_a_finding(
    made: Path, tmp_path: Path, backend: str, scheme: str
) -> None:
    x = np.random.default_rng(0).normal(size=(60, 12, 10, 1)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=x)
    result = tt.quantize(
        made / "net.keras", data=tmp_path / "data.npz", backend=backend, scheme=scheme
    )
    assert lint(result.graph) == ()
    wanted = DType.INT8 if scheme == "int8" else DType.INT16
    assert result.graph.tensor(result.graph.inputs[0]).dtype is wanted
    assert result.noise.unmatched == ()
    assert result.answers.output_sqnr_db > 25
    assert ("TensorFlow" in result.backend) == (backend == "tensorflow")
