"""ONNX and PyTorch models all the way to an emulated board, bit-exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from importers.foreign_python import needed, run_there

import tinyml_tool as tt
from tinyml_tool.environments.catalogue import ONNX, TORCH, Environment
from tinyml_tool.errors import InputError, UnsupportedModelError

pytestmark = pytest.mark.slow

MAKE_ONNX = """
import numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as n

random = np.random.default_rng(0)
weights = []
def stored(name, *shape):
    values = random.normal(0, 1.5 / np.sqrt(np.prod(shape[1:]) or 1), shape)
    weights.append(n.from_array(values.astype("f4"), name))
    return name
nodes = [
    h.make_node("Conv", ["x", stored("w1", 8, 3, 3, 3), stored("b1", 8)], ["a"],
                kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
    h.make_node("Relu", ["a"], ["ar"]),
    h.make_node("Conv", ["ar", stored("w2", 8, 1, 3, 3), stored("b2", 8)], ["b"],
                kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=8),
    h.make_node("Clip", ["b", "zero", "six"], ["br"]),
    h.make_node("Conv", ["br", stored("w3", 8, 8, 1, 1), stored("b3", 8)], ["c"],
                kernel_shape=[1, 1]),
    h.make_node("Add", ["c", "ar"], ["d"]),
    h.make_node("MaxPool", ["d"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
    h.make_node("Flatten", ["p"], ["f"], axis=1),
    h.make_node("Gemm", ["f", stored("w4", 5, 128), stored("b4", 5)], ["g"], transB=1),
    h.make_node("Softmax", ["g"], ["y"], axis=1),
]
weights += [n.from_array(np.float32(v), k) for k, v in (("zero", 0), ("six", 6))]
graph = h.make_graph(
    nodes, "net", [h.make_tensor_value_info("x", T.FLOAT, ["batch", 3, 16, 16])],
    [h.make_tensor_value_info("y", T.FLOAT, ["batch", 5])], weights)
model = h.make_model(graph, opset_imports=[h.make_opsetid("", 13)], ir_version=8)
onnx.checker.check_model(model)
onnx.save(model, "net.onnx")
odd = h.make_graph(
    [h.make_node("Mine", ["x"], ["m"], domain="house", name="mine"),
     h.make_node("Relu", ["m"], ["y"])],
    "odd", [h.make_tensor_value_info("x", T.FLOAT, [1, 4])],
    [h.make_tensor_value_info("y", T.FLOAT, [1, 4])])
onnx.save(h.make_model(odd, opset_imports=[h.make_opsetid("", 13), h.make_opsetid("house", 1)],
                       ir_version=8), "odd.onnx")
"""

TORCH_MODULE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU())
        self.deep = nn.Sequential(nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.ReLU6(),
                                  nn.Conv2d(8, 8, 1))
        self.dense = nn.Linear(128, 5)

    def forward(self, x):
        x = self.first(x)
        x = nn.functional.max_pool2d(x + self.deep(x), 2)
        return torch.softmax(self.dense(x.flatten(1)), 1)

def make():
    torch.manual_seed(1)
    return Net().eval(), torch.zeros(1, 3, 16, 16)

def wrong():
    return 3
"""

MAKE_TORCH = """
import torch, nets
model, example = nets.make()
torch.export.save(torch.export.export(model, (example,)), "net.pt2")
"""


@pytest.fixture(scope="module")
def onnx_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ONNX files."""
    folder = tmp_path_factory.mktemp("onnx")
    run_there(ONNX, MAKE_ONNX, folder)
    return folder


@pytest.fixture(scope="module")
def torch_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a PyTorch module and an exported program."""
    folder = tmp_path_factory.mktemp("torch")
    (folder / "nets.py").write_text(TORCH_MODULE)
    run_there(TORCH, "import sys; sys.path.insert(0, '.')\n" + MAKE_TORCH, folder)
    return folder


def to_the_board(source: Path | str, folder: Path) -> None:
    """Import, quantize on channels-last data, deploy: every layer bit-exact."""
    x = np.random.default_rng(3).normal(size=(80, 3, 16, 16)).astype(np.float32)
    np.savez(folder / "source.npz", x=x)
    np.savez(folder / "model.npz", x=np.transpose(x, (0, 2, 3, 1)))
    imported = tt.import_model(source, output=folder / "f.tflite", data=folder / "source.npz")
    assert imported.comparison.relative < 1e-4
    assert imported.comparison.input_orders == ((0, 2, 3, 1),)
    assert "TRANSPOSE" not in [operator.kind for operator in imported.graph.operators]
    quantized = tt.quantize(
        folder / "f.tflite", data=folder / "model.npz", calibration=40, output=folder / "q.tflite"
    )
    assert quantized.problems == ()
    assert quantized.engines["aot"] == ()
    assert quantized.answers.agreement is not None
    assert quantized.answers.agreement >= 0.9
    evidence = tt.deploy(folder / "q.tflite", board="qemu-m4", output=folder / "project")
    assert evidence.parity.values_different == 0
    # All layers but those of PAD, which are folded into the convolutions behind them.
    kinds = [operator.kind for operator in quantized.graph.operators]
    assert evidence.parity.layers == len(kinds) - kinds.count("PAD")


def test_an_onnx_model_runs_bit_exact_on_the_board(onnx_folder: Path, tmp_path: Path) -> None:
    to_the_board(onnx_folder / "net.onnx", tmp_path)


def test_an_exported_pytorch_program_runs_bit_exact_on_the_board(
    torch_folder: Path, tmp_path: Path
) -> None:
    to_the_board(torch_folder / "net.pt2", tmp_path)


def test_a_pytorch_function_runs_bit_exact_on_the_board(
    torch_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(torch_folder)
    to_the_board("nets:make", tmp_path)


def test_foreign_onnx_operators_are_named(onnx_folder: Path) -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        tt.import_model(onnx_folder / "odd.onnx")
    assert caught.value.details == ("node 'mine': house.Mine",)


@pytest.mark.parametrize(("environment", "name"), [(ONNX, "bad.onnx"), (TORCH, "bad.pt2")])
def test_files_that_are_damaged_are_told(
    tmp_path: Path, environment: Environment, name: str
) -> None:
    needed(environment)
    (tmp_path / name).write_bytes(b"PK\x03\x04 nothing that anyone can read")
    with pytest.raises(InputError):
        tt.import_model(tmp_path / name)


def test_a_function_that_returns_no_model_is_told(
    torch_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(torch_folder)
    with pytest.raises(InputError, match="returns int"):
        tt.import_model("nets:wrong")
    with pytest.raises(InputError, match="has no attribute 'absent'"):
        tt.import_model("nets:absent")
