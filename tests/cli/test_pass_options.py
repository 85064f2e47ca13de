"""Graph passes on the command line and in the project file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import tinyml
from shared import shared_model

PASSES = [
    "freeze-batch",
    "fold-constants",
    "drop-unused-layers",
    "drop-no-ops",
    "fold-quantize",
    "fold-relu",
    "fold-pad",
    "drop-dead-channels",
    "split-rows",
]


@pytest.fixture
def vww() -> Path:
    return shared_model("vww_96_int8.tflite")


def generated(model: Path, folder: Path, *options: str) -> dict[str, Any]:
    """The manifest of the project."""
    assert tinyml("generate", model, "-o", folder, *options, "-q").code == 0
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return manifest


def test_inspect_shows_what_each_pass_did(vww: Path) -> None:
    shown = tinyml("inspect", vww, "--passes").stdout
    for name in PASSES:
        assert name in shown
    assert "after:  31 layers, 3,733,073 MACs, 33,374 bytes of weights" in shown


def test_inspect_tells_it_as_json_too(vww: Path) -> None:
    passes = tinyml("inspect", vww, "--json").envelope["result"]["passes"]
    assert [record["name"] for record in passes] == PASSES
    assert passes[-2]["after"]["macs"] == 3_733_073
    assert passes[-2]["changes"][0]["layer"] == 10
    assert [change["layer"] for change in passes[-1]["changes"]] == [2, 3]


def test_a_pass_that_is_switched_off_is_told(vww: Path) -> None:
    shown = tinyml("inspect", vww, "--passes", "--no-pass", "drop-dead-channels").stdout
    assert "switched off" in shown
    assert "after:  31 layers, 7,489,664 MACs" in shown


def test_the_manifest_names_the_passes_that_ran(vww: Path, tmp_path: Path) -> None:
    assert generated(vww, tmp_path / "all")["passes"] == PASSES
    less = generated(vww, tmp_path / "less", "--no-pass", "drop-dead-channels")
    assert less["passes"] == [name for name in PASSES if name != "drop-dead-channels"]


def test_the_project_file_may_list_the_passes(
    vww: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'[project]\nmodel = "{vww}"\n[compiler]\npasses = ["fold-relu"]\n'
    (tmp_path / "tinyml.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert tinyml("generate", "-o", "project", "-q").code == 0
    manifest = json.loads((tmp_path / "project" / "manifest.json").read_text())
    assert manifest["passes"] == ["fold-relu"]


def test_a_project_keeps_the_passes_it_was_generated_with(vww: Path, tmp_path: Path) -> None:
    generated(vww, tmp_path / "project", "--no-pass", "drop-dead-channels")
    settings = tmp_path / "project" / "tinyml.toml"
    assert '"drop-dead-channels"' not in settings.read_text()
    assert "passes = [" in settings.read_text()


@pytest.mark.parametrize("command", ["inspect", "generate", "deploy"])
def test_an_unknown_pass_is_refused_with_the_names(command: str, vww: Path) -> None:
    result = tinyml(command, vww, "--no-pass", "fold")
    assert result.code == 2
    assert "there is no pass 'fold'" in result.stderr
    assert "fold-relu" in result.stderr


def test_engine_tflm_takes_the_model_as_it_is(vww: Path, tmp_path: Path) -> None:
    result = tinyml(
        "generate", vww, "-e", "tflm", "--no-pass", "fold-relu", "-o", tmp_path / "project"
    )
    assert result.code == 2
    assert "interprets the model as it is" in result.stderr


def test_a_project_of_other_passes_is_told_to_be_generated_again(vww: Path, tmp_path: Path) -> None:
    manifest = generated(vww, tmp_path / "project")
    manifest["graph"] = "0" * 16
    (tmp_path / "project" / "manifest.json").write_text(json.dumps(manifest))
    result = tinyml("validate", tmp_path / "project")
    assert result.code == 2
    assert "generate the project again" in result.stderr
