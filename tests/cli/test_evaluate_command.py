from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import tinyml
from project_case import small_model

from tinyml_tool.cli.evaluate import register
from tinyml_tool.errors import ExitCode


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, Path]:
    """The small model (8 values in, 4 out) and a data set of its shape."""
    model, data = tmp_path / "small.tflite", tmp_path / "data.npz"
    model.write_bytes(small_model())
    x = np.random.default_rng(0).uniform(-20, 20, (12, 8)).astype(np.float32)
    np.savez(data, x=x, y=np.arange(12) % 4, classes=np.array(["a", "b", "c", "d"]))
    return model, data


def test_people_see_accuracy_figures_and_confusion(case: tuple[Path, Path]) -> None:
    done = tinyml("evaluate", case[0], "--data", case[1])
    assert done.code == 0
    assert "accuracy" in done.stdout
    assert "3 of 12" in done.stdout
    assert "precision" in done.stdout
    assert "true \\ answered" in done.stdout


def test_json_holds_the_same(case: tuple[Path, Path]) -> None:
    result = tinyml("evaluate", case[0], "--data", case[1], "--json").envelope["result"]
    assert result["samples"] == 12
    assert result["host"]["accuracy"] == 0.25
    assert len(result["host"]["confusion"]) == 4
    assert result["device"] is None


def test_the_device_is_compared(case: tuple[Path, Path]) -> None:
    done = tinyml("evaluate", case[0], "--data", case[1], "--on", "qemu-m3", "--json")
    if done.code == ExitCode.BUILD:
        pytest.skip(done.error["message"])
    device = done.envelope["result"]["device"]
    assert device["agreement"]["samples_different"] == 0
    assert device["agreement"]["values_compared"] == 48


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--data", "nowhere"], "does not exist"),
        (["--on", "qemu-m9", "--data", "DATA"], "qemu-m9"),
        ([], "no training record"),
        (["--data", "DATA", "--size", "3"], "is not HEIGHTxWIDTH"),
    ],
)
def test_mistakes_are_told(case: tuple[Path, Path], words: list[str], message: str) -> None:
    chosen = [str(case[1]) if word == "DATA" else word for word in words]
    done = tinyml("evaluate", case[0], *chosen, "--json")
    assert done.code == ExitCode.USAGE
    assert message in done.error["message"]


def test_disagreement_ends_with_the_code_of_a_mismatch(
    case: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import typer
    from typer.testing import CliRunner

    from tinyml_tool.api import evaluate as api
    from tinyml_tool.api.evaluation import DeviceFigures, Evaluation
    from tinyml_tool.verify.agreement import Agreement

    def lie(*args: object, **options: object) -> Evaluation:
        figures = api.evaluate(case[0], data=case[1])
        wrong = Agreement(12, 2, 48, 3, 4)
        device = DeviceFigures("qemu-m4", "qemu-m4", "aot", wrong, figures.host, None)
        return Evaluation("m", "d", 12, figures.host, device)

    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)
    honest = api.evaluate
    monkeypatch.setattr(api, "evaluate", lambda *a, **k: _restored(monkeypatch, api, honest, lie))
    done = CliRunner().invoke(app, ["evaluate", str(case[0])])
    assert done.exit_code == ExitCode.MISMATCH
    assert "2 of 12 samples differ from the reference" in done.output


def _restored(monkeypatch, api, honest, lie):  # the lie itself needs the honest function
    monkeypatch.setattr(api, "evaluate", honest)
    return lie()
