"""The ROC curve of anomaly models: its points, its picture, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from command import tinyml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from test_evaluate import classifier, mirror, sides

from tinyml_tool.errors import ExitCode
from tinyml_tool.report.roc_picture import place
from tinyml_tool.verify.anomaly import Threshold, area_under_roc, judge, roc_curve


@settings(max_examples=100, deadline=None)
@given(
    samples=st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=60).filter(
        lambda pairs: len({anomalous for _, anomalous in pairs}) == 2
    )
)
def test_the_corners_are_those_of_the_curve(samples: list[tuple[int, bool]]) -> None:
    errors, anomalous = (np.array(column) for column in zip(*samples, strict=True))
    curve = roc_curve(errors.astype(float), anomalous)
    x, y = ([getattr(point, name) for point in curve] for name in ("false_alarms", "detected"))
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    # Float64 sums of as many trapezoids as there are samples, in another order.
    assert np.trapezoid(y, x) == pytest.approx(area_under_roc(errors.astype(float), anomalous))
    for point in curve[:-1]:
        called = errors > point.threshold
        assert point.detected == (called & anomalous).sum() / anomalous.sum()
        assert point.false_alarms == (called & ~anomalous).sum() / (~anomalous).sum()
    assert curve[-1].threshold is None
    slopes = [(b - a, d - c) for a, b, c, d in zip(x, x[1:], y, y[1:], strict=False)]
    turns = pairwise(slopes)
    assert all(a * d != b * c for (a, b), (c, d) in turns), "no point on a line"


def test_without_anomalies_there_is_no_curve() -> None:
    figures = judge(np.array([1.0, 2.0]), np.array([False, False]), Threshold(1.5, "given"))
    assert figures.roc == ()
    assert figures.at_threshold is None


@pytest.fixture
def pump(tmp_path: Path) -> tuple[Path, Path]:
    """A model that gives back small values, and a data set of 20 small and 10 larger samples."""
    model, data = tmp_path / "pump.tflite", tmp_path / "pump.npz"
    model.write_bytes(mirror())
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-0.9, 1.3, (20, 4)), rng.uniform(0.9, 2, (10, 4))])
    y = np.repeat([0, 1], [20, 10])
    np.savez(data, x=x.astype(np.float32), y=y, classes=np.array(["fine", "odd"]))
    return model, data


def test_the_picture_marks_the_chosen_threshold(pump: tuple[Path, Path], tmp_path: Path) -> None:
    words = ("--data", pump[1], "--normal", "fine", "--threshold", "0.02")
    done = tinyml("evaluate", pump[0], *words, "--roc", tmp_path / "roc.png", "--json")
    assert done.code == 0, done.stderr
    host = done.envelope["result"]["host"]
    assert host["roc"][0] == {
        "threshold": host["roc"][0]["threshold"],
        "false_alarms": 0.0,
        "detected": 0.0,
    }
    assert 0 < host["false_alarms"] < 20
    errors = np.array([point["threshold"] for point in host["roc"][:-1]])
    assert (np.diff(errors) < 0).all()
    figures = judge(np.array([0.0, 2.0]), np.array([False, True]), Threshold(1.0, "given"))
    assert figures.at_threshold is not None
    chosen = type(figures.at_threshold)(
        0.02, host["false_alarms"] / host["normal"], host["detected"] / host["anomalies"]
    )
    x, y = place(chosen)
    with Image.open(tmp_path / "roc.png") as image:
        reds = [
            (column, row)
            for column in range(image.width)
            for row in range(image.height)
            if image.getpixel((column, row)) == (190, 40, 40)
        ]
    assert min(abs(column - x) + abs(row - y) for column, row in reds) < 8
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_classifier_has_none(tmp_path: Path) -> None:
    (tmp_path / "sides.tflite").write_bytes(classifier())
    np.savez(tmp_path / "sides.npz", **sides())
    done = tinyml(
        *("evaluate", "sides.tflite", "--data", "sides.npz", "--roc", "r.png", "--json"),
        cwd=tmp_path,
    )
    assert done.code == ExitCode.USAGE
    assert "this is a classifier" in done.error["message"]
    assert "--normal" in done.error["hint"]
    assert not (tmp_path / "r.png").exists()


def test_normal_samples_alone_give_none(pump: tuple[Path, Path], tmp_path: Path) -> None:
    with np.load(pump[1]) as file:
        np.savez(pump[1], x=file["x"][:20], y=file["y"][:20], classes=file["classes"])
    words = ("--data", pump[1], "--normal", "fine", "--threshold", "0.05", "--json")
    done = tinyml("evaluate", pump[0], *words, "--roc", tmp_path / "r.png")
    assert done.code == ExitCode.USAGE
    assert "there are 20 and 0" in done.error["message"]


def test_a_place_that_cannot_be_written_is_told(pump: tuple[Path, Path], tmp_path: Path) -> None:
    words = ("--data", pump[1], "--normal", "fine", "--threshold", "0.05", "--json")
    done = tinyml("evaluate", pump[0], *words, "--roc", tmp_path / "no" / "r.png")
    assert done.code == ExitCode.USAGE
    assert done.error["code"] == "output"
