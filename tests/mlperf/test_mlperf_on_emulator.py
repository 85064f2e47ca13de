"""MLPerf Tiny's runner would see a right device: firmware in QEMU, its answers the reference's."""

from __future__ import annotations

from pathlib import Path

import pytest
from expected_results import expected, is_rounded, random_data
from runner_client import RunnerClient
from shared import shared_model

import tinyml_tool as tt
from tinyml_tool.boards import load_board
from tinyml_tool.config import MlperfBenchmark
from tinyml_tool.devices.qemu import QemuDevice

MODELS: dict[MlperfBenchmark, str] = {
    "kws01": "kws_ref_model.tflite",
    "vww01": "vww_96_int8.tflite",
    "ic01": "pretrainedResnet_quant.tflite",
    "ad01": "ad01_int8.tflite",
}


@pytest.mark.parametrize(
    ("benchmark", "board", "inputs"),
    [
        ("kws01", "netduinoplus2", 3),
        ("vww01", "qemu-m55", 1),
        ("ic01", "qemu-m4", 2),
        ("ad01", "qemu-m3", 3),
    ],
)
def test_the_results_are_the_reference_s(
    benchmark: MlperfBenchmark, board: str, inputs: int, tmp_path: Path
) -> None:
    model = shared_model(MODELS[benchmark])
    tt.generate(model, board=board, output=tmp_path / "project", mlperf=benchmark)
    elf = tt.build(tmp_path / "project", system="cmake").elf
    with QemuDevice(load_board(board), elf, time_limit=300) as device:
        client = RunnerClient(device.stream)
        client.boot()
        assert (client.name(), client.model()) == (board, benchmark)
        for seed in range(inputs):
            data = random_data(benchmark, seed)
            client.load(data)
            results = client.infer().results
            wanted = expected(model.read_bytes(), benchmark, data)
            assert len(results) == len(wanted)
            assert all(map(is_rounded, results, wanted)), (results, list(map(float, wanted)))
            assert client.infer(2, warmups=1).results == client.results() == results
