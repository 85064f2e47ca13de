"""Engine tflm on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command import tinyml
from shared import shared_model
from test_tflm_problems import several_unsupported
from tflm_case import int16x8, relu

from tinyml_tool.toolchain.tflm_directory import VARIABLE


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "m.tflite"
    path.write_bytes(relu("float32"))
    return path


def result_of(*arguments: str | Path, exit_code: int = 0) -> dict[str, Any]:
    done = tinyml(*map(str, arguments), "--json")
    assert done.code == exit_code, done.stderr
    return done.envelope


def test_inspect_finds_a_float_model_supported(model: Path) -> None:
    found = result_of("inspect", model, "--engine", "tflm")["result"]
    assert found["engine"] == "tflm"
    assert found["supported"]
    assert found["footprint"]["arena_bytes"] > 0
    assert found["layers"][0]["tflm"]
    assert not found["layers"][0]["aot"]


def test_inspect_finds_an_int16x8_model_supported(model: Path) -> None:
    model.write_bytes(int16x8())
    assert result_of("inspect", model, "--engine", "tflm")["result"]["supported"]


def test_inspect_still_asks_engine_aot_by_default(model: Path) -> None:
    assert result_of("inspect", model, exit_code=3)["result"]["engine"] == "aot"


def test_every_operator_that_is_not_supported_is_listed(model: Path) -> None:
    model.write_bytes(several_unsupported())
    for command in ("inspect", "generate", "deploy"):
        error = result_of(command, model, "--engine", "tflm", exit_code=3)["error"]
        assert error["code"] == "unsupported_model"
        assert len(error["details"]) == 3


def test_what_only_tflm_finds_wrong_is_told(model: Path) -> None:
    model.write_bytes(shared_model("kws_ref_model_float32.tflite").read_bytes())
    error = result_of("inspect", model, "--engine", "tflm", exit_code=3)["error"]
    assert "hybrid" in error["message"]


def test_generate_takes_the_size_of_the_arena(model: Path) -> None:
    made = result_of("generate", model, "-e", "tflm", "-o", "p", "--arena", "7000")["result"]
    assert made["engine"] == "tflm"
    assert made["arena_bytes"] == 7008


def test_the_project_file_may_say_it(model: Path) -> None:
    Path("tinyml.toml").write_text(
        '[project]\nmodel = "m.tflite"\nengine = "tflm"\noutput = "p"\n[tflm]\narena_bytes = 8000\n'
    )
    assert result_of("generate")["result"]["arena_bytes"] == 8000
    assert model.is_file()


def test_engine_aot_takes_no_size_of_an_arena(model: Path) -> None:
    model.write_bytes(relu())
    error = result_of("generate", model, "--arena", "7000", exit_code=2)["error"]
    assert "computes its arena itself" in error["message"]


def test_build_without_tflm_ends_with_5_and_a_hint(model: Path) -> None:
    result_of("generate", model, "-e", "tflm", "-o", "p")
    error = result_of("build", "p", exit_code=5)["error"]
    assert error["code"] == "tool_missing"
    assert VARIABLE in error["hint"]
    assert model.is_file()


@pytest.mark.parametrize("command", ["build", "run", "validate", "deploy", "flash"])
def test_commands_that_build_end_at_once_without_tflm(command: str, model: Path) -> None:
    """Before the work is begun: nothing is left behind."""
    error = result_of(command, model, "-e", "tflm", "-o", "p", exit_code=5)["error"]
    assert error["code"] == "tool_missing"
    assert VARIABLE in error["hint"]
    assert "docs/tflm.md" in error["hint"]
    assert not Path("p").exists()


def test_flash_of_a_real_board_needs_the_directory_only_where_it_is_linked(model: Path) -> None:
    """Of the Arduino library's boards it is the registry that is missing, of others the tree."""
    result_of("generate", model, "-e", "tflm", "-b", "nucleo_l4r5zi", "-o", "p")
    error = result_of("flash", "p", exit_code=5)["error"]
    assert VARIABLE in error["hint"]


def test_a_command_that_is_not_for_tflms_arena_says_so(model: Path) -> None:
    error = result_of("generate", model, "-e", "tflm", "--arena", "16", exit_code=2)["error"]
    assert "an arena of 16 bytes is too small for m" in error["message"]
