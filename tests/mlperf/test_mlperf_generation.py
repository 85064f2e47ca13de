"""Who gets the runner's protocol into a firmware, and which models are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import tinyml
from mlperf_firmware import dense_model, model_for
from project_case import small_files, small_model, small_plan

import tinyml_tool as tt
from tinyml_tool.boards import load_board
from tinyml_tool.config import MlperfBenchmark
from tinyml_tool.errors import DoesNotFitError, InputError
from tinyml_tool.firmware.mlperf_files import BENCHMARKS, check_mlperf
from tinyml_tool.firmware.project import project_files
from tinyml_tool.graph.reader import parse_model


def test_nothing_of_it_is_in_a_project_that_did_not_ask() -> None:
    files = small_files()
    assert not [path for path in files if "mlperf" in path]
    assert b"#define TINYML_MLPERF 0" in files["lib/link/tinyml_link_config.h"]
    assert b"mlperf" not in files["README.md"].lower() + files["tinyml.toml"]


@pytest.mark.parametrize("benchmark", BENCHMARKS)
def test_a_model_with_the_benchmark_s_tensors_is_taken(benchmark: MlperfBenchmark) -> None:
    check_mlperf(parse_model(model_for(benchmark), "model"), benchmark)


@pytest.mark.parametrize(
    ("model", "reasons", "hint"),
    [
        (
            dense_model(491, 12),
            ["its input is int8 1x491, 491 bytes, not int8 of 490 bytes"],
            "the benchmarks run int8 models",
        ),
        (
            dense_model(490, 11),
            ["its output is int8 1x11, 11 bytes, not int8 of 12 bytes"],
            "the benchmarks run int8 models",
        ),
        (
            dense_model(490, 12, kind="uint8"),
            [
                "its input is uint8 1x490, 490 bytes, not int8 of 490 bytes",
                "its output is uint8 1x12, 12 bytes, not int8 of 12 bytes",
            ],
            "the benchmarks run int8 models",
        ),
        (
            model_for("ic01"),
            [
                "its input is int8 1x3072, 3,072 bytes, not int8 of 490 bytes",
                "its output is int8 1x10, 10 bytes, not int8 of 12 bytes",
            ],
            "use ic01",
        ),
    ],
)
def test_another_model_is_refused_with_all_reasons(
    model: bytes, reasons: list[str], hint: str
) -> None:
    with pytest.raises(InputError, match="model is no model for kws01, keyword spotting") as caught:
        check_mlperf(parse_model(model, "model"), "kws01")
    assert list(caught.value.details) == reasons
    assert hint in (caught.value.hint or "")


def test_the_command_refuses_before_it_writes_anything(tmp_path: Path) -> None:
    (tmp_path / "small.tflite").write_bytes(small_model())
    result = tinyml("generate", "small.tflite", "--mlperf", "vww01", "--json", cwd=tmp_path)
    assert result.code == 2
    assert result.error["code"] == "input"
    assert "not int8 of 27,648 bytes" in result.error["message"]
    assert [path.name for path in tmp_path.iterdir()] == ["small.tflite"]


def test_the_command_knows_the_benchmarks(tmp_path: Path) -> None:
    result = tinyml("generate", "small.tflite", "--mlperf", "kws02", cwd=tmp_path)
    assert result.code == 2
    assert "kws01" in result.stderr


def test_the_project_file_may_ask_for_it(tmp_path: Path) -> None:
    (tmp_path / "spotter.tflite").write_bytes(model_for("kws01"))
    settings = '[project]\nmodel = "spotter.tflite"\noutput = "out"\nmlperf = "kws01"\n'
    (tmp_path / "tinyml.toml").write_text(settings)
    assert tinyml("generate", cwd=tmp_path).code == 0
    assert (tmp_path / "out" / "lib" / "mlperf" / "tinyml_mlperf.c").is_file()
    assert 'mlperf = "kws01"' in (tmp_path / "out" / "tinyml.toml").read_text()


def test_the_runner_s_data_count_before_anything_is_built(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(model_for("vww01"))
    with pytest.raises(DoesNotFitError, match=r"buffers \(27,652\)"):
        tt.generate(tmp_path / "model.tflite", board="qemu-m0", mlperf="vww01")


def test_such_a_firmware_is_validated_as_any_other(tmp_path: Path) -> None:
    """Built by PlatformIO, in the emulator: the two protocols do not disturb each other."""
    (tmp_path / "model.tflite").write_bytes(model_for("kws01"))
    evidence = tt.deploy(
        tmp_path / "model.tflite", output=tmp_path / "project", mlperf="kws01", vectors=3
    )
    assert evidence.parity.exact
    assert (tmp_path / "project" / "lib" / "mlperf").is_dir()


def test_the_build_id_tells_it_from_a_firmware_without_it() -> None:
    plan, board = small_plan(model=model_for("kws01")), load_board("qemu-m4")
    plain = project_files(plan, board, name="small")
    other = project_files(plan, board, name="small", mlperf="kws01")
    assert build_id_of(plain) != build_id_of(other)


def build_id_of(files: dict[str, bytes]) -> str:
    identity = json.loads(files["manifest.json"])["build_id"]
    assert identity in files["lib/link/tinyml_link_config.h"].decode()
    return str(identity)
