"""Searching networks: what is proposed, refused, kept, resumed and drawn."""

from __future__ import annotations

import importlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from command import tinyml
from rich.console import Console
from training_case import needs_tensorflow, series

import tinyml_tool as tt
from tinyml_tool.api.cost import Cost
from tinyml_tool.api.hand_out import measured_front
from tinyml_tool.api.search import search, tightened
from tinyml_tool.api.search_result import (
    Baseline,
    Found,
    Judged,
    Limits,
    SearchResult,
    front_of,
    read_judged,
)
from tinyml_tool.api.search_run import SearchRun
from tinyml_tool.errors import InputError, OutputError
from tinyml_tool.report.search import search_markdown, search_table
from tinyml_tool.train.architecture import read_architecture
from tinyml_tool.train.journal import Journal
from tinyml_tool.train.pareto_plot import PlotPoint, front_svg
from tinyml_tool.train.proposals import propose
from tinyml_tool.train.record import read_record
from tinyml_tool.train.result_folder import work_folder
from tinyml_tool.train.search_space import WIDTHS, Candidate, read_candidate, space_for
from tinyml_tool.train.settings import TrainSettings

SPACE = importlib.import_module("tinyml_tool.train.search_space")
"""By its path: where the package is imported, `train` is the function."""
SETTINGS = TrainSettings(epochs=3, batch_size=16)
REPOSITORY = Path(__file__).resolve().parents[2]


def cost(flash: int, instructions: int) -> Cost:
    return Cost("qemu-m4", flash, 4000, 1000, instructions, exact=True)


def judged(name: str, accuracy: float, flash: int, instructions: int) -> Judged:
    candidate = Candidate(read_architecture(name))
    return Judged(candidate, 0, 100, None, cost(flash, instructions), accuracy)


def test_the_front_holds_what_nothing_beats_the_most_accurate_first() -> None:
    small, good, beaten = (
        judged("mlp:width=0.25", 0.90, 4000, 9_000),
        judged("mlp:width=1", 0.95, 6000, 20_000),
        judged("mlp:width=2", 0.95, 7000, 20_000),
    )
    refused = Judged(Candidate(read_architecture("mlp")), 0, refused="too large")
    assert front_of([small, refused, beaten, good]) == [good, small]


def test_what_is_not_accurate_enough_is_not_on_the_front() -> None:
    poor, good = judged("mlp:width=0.25", 0.5, 4000, 9_000), judged("mlp", 0.95, 6000, 20_000)
    assert front_of([poor, good], Limits(min_accuracy=0.9)) == [good]


def test_an_accuracy_above_1_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="an accuracy of 90 is not from 0 to 1"):
        search(series(), output=tmp_path / "out", limits=Limits(min_accuracy=90))


def test_to_beat_a_baseline_is_to_take_no_more_than_it_does() -> None:
    limits = tightened(Limits(max_flash=4000, max_ram=9), cost(5000, 9_000))
    assert limits == Limits(max_flash=4000, max_ram=9, max_instructions=9_000)


def test_without_a_baseline_there_is_nothing_to_beat(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no baseline to beat"):
        search(series(), output=tmp_path / "out", beat=True)


def test_a_baseline_that_is_not_there_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"old\.tflite"):
        search(series(), output=tmp_path / "out", baseline=tmp_path / "old.tflite")
    assert not any(tmp_path.iterdir())


def test_a_network_that_exceeds_a_limit_once_it_is_trained_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = judged("mlp", 0.95, 5000, 9_000), judged("mlp:width=0.5", 0.9, 4000, 8_000)
    dominated = judged("mlp:width=0.75", 0.94, 4990, 9_500)
    trained = {large: 5001, small: 4001, dominated: 4980}
    by_folder = {one.candidate.id: cost(flash, 9_000) for one, flash in trained.items()}
    monkeypatch.setattr(
        "tinyml_tool.api.hand_out.measure_cost", lambda path, _: by_folder[path.parent.name]
    )
    run = SimpleNamespace(
        limits=Limits(max_flash=5000), work=tmp_path, board=None, progress=lambda _: None
    )
    best = measured_front(cast(SearchRun, run), [large, small, dominated])
    assert [one.candidate for one in best] == [dominated.candidate, small.candidate]
    assert [one.cost and one.cost.flash_bytes for one in best] == [4980, 4001]


def test_a_model_beats_the_baseline_only_on_what_it_does_better() -> None:
    found = Found(judged("mlp", 0.9, 5000, 9_000), None, 0.91)
    baseline = Baseline("hand-made", 0.9, 0.91, cost(6000, 8_000))
    assert baseline.against(found) == (["flash"], ["instructions"])


def test_proposals_are_new_and_the_same_every_time() -> None:
    space = space_for((8, 8, 1), ("cnn", "resnet8"))
    first = propose(space, [], 6, np.random.default_rng((0, 0)))
    assert first == propose(space, [], 6, np.random.default_rng((0, 0)))
    known = [(one, (0.1 * place, 1.0, 1.0)) for place, one in enumerate(first)]
    second = propose(space, known, 6, np.random.default_rng((0, 1)))
    assert len({one.id for one in (*first, *second)}) == 12
    assert {one.architecture.name for one in (*first, *second)} <= {"cnn", "resnet8"}


def test_children_are_neighbours_of_the_best() -> None:
    space = space_for((8, 8, 1), ("cnn",))
    best = Candidate(read_architecture("cnn:width=0.5,depth=2"))
    worst = Candidate(read_architecture("cnn:width=1.5,depth=4"))
    known = [(best, (0.1, 1.0, 1.0)), (worst, (0.2, 2.0, 2.0))]
    children = propose(space, known, 40, np.random.default_rng(0))
    near = sum(child.architecture.width <= 0.75 for child in children)
    assert near > 20


def test_a_space_that_is_used_up_gives_what_is_left() -> None:
    space = space_for((6,), ("mlp",))
    assert len(propose(space, [], 100, np.random.default_rng(0))) == len(WIDTHS) * 3


def test_candidates_survive_the_journal() -> None:
    one = Candidate(read_architecture("cnn:width=0.375,depth=3,kernel=5x5"), 2)
    assert read_candidate(json.loads(json.dumps(one.to_json()))) == one
    entry = judged("mlp", 0.9, 5000, 9_000)
    assert read_judged(json.loads(json.dumps(entry.to_json()))) == entry


def test_a_family_for_other_samples_is_refused() -> None:
    with pytest.raises(InputError, match="family 'tcn' is none that a search can take"):
        space_for((8, 8, 1), ("tcn",))


def test_a_journal_cut_off_in_a_line_goes_on_after_the_last_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path, {"seed": 0}).add({"id": "a"})
    path.write_text(path.read_text() + '{"id": "b", "accu')
    journal = Journal(path, {"seed": 0})
    assert journal.entries == [{"id": "a"}]
    journal.add({"id": "c"})
    assert Journal(path, {"seed": 0}).entries == [{"id": "a"}, {"id": "c"}]


def test_a_journal_of_another_search_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "journal.jsonl", {"seed": 0, "board": "qemu-m4"})
    with pytest.raises(InputError, match="another one: seed differ"):
        Journal(tmp_path / "journal.jsonl", {"seed": 1, "board": "qemu-m4"})


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(max_flash=4999), "flash 5,000 above 4,999"),
        (Limits(max_ram=2999), "RAM 3,000 above 2,999"),
        (Limits(max_instructions=6999), "instructions 7,000 above 6,999"),
        (Limits(5000, 3000, 7000), None),
    ],
)
def test_limits_are_inclusive(limits: Limits, message: str | None) -> None:
    assert limits.exceeded(5000, 3000, 7000) == message


def test_the_plot_is_svg_with_a_mark_for_each_network() -> None:
    points = [
        PlotPoint("a <small> one", 0.9, 4000, 10_000, "front"),
        PlotPoint("another", 0.8, 5000, 20_000, "other"),
        PlotPoint("made by hand", 0.9, 5000, 900_000, "baseline"),
    ]
    root = ElementTree.fromstring(front_svg(points, board="qemu-m4"))
    titles = [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}title")]
    assert sum(title.startswith("a <small> one") for title in titles) == 2
    assert len(titles) == 6


def test_a_plot_of_one_network_has_no_length_to_divide_by() -> None:
    assert "nan" not in front_svg([PlotPoint("one", 1.0, 1, 1, "front")], board="b")


def test_the_table_shows_whole_names_in_80_columns() -> None:
    found = [
        Found(judged(name, 0.9, 5_000, 9_000), Path("out/1-ds_cnn"), 0.91)
        for name in ("ds_cnn:width=0.375,depth=3,kernel=5x5", "mobilenet_v1:width=0.125,depth=2")
    ]
    baseline = Baseline("models/hand-made-and-of-a-long-name.tflite", 0.9, 0.91, cost(6000, 8_000))
    result = SearchResult(Path("out"), "qemu-m4", Limits(), (), tuple(found), baseline)
    console = Console(width=80, file=io.StringIO())
    console.print(search_table(result))
    text = "".join(cast(io.StringIO, console.file).getvalue().split())
    assert "…" not in text
    for word in ("width=0.375,", "mobilenet_v1:", "instructions", "0.910", "1-ds_cnn"):
        assert word in text
    assert search_markdown(result).count("\n") == 4


def test_a_search_never_replaces_another_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(OutputError, match=r"it has no search\.json"):
        search(series(), output=tmp_path / "mine", force=True)


@pytest.mark.parametrize("name", ["candidates", "generation", "keep"])
def test_counts_must_be_at_least_1(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="must be at least 1"):
        search(series(), output=tmp_path / "out", **{name: 0})


@needs_tensorflow
def test_a_search_refuses_what_is_too_large_and_hands_out_the_front(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of these three, two have the least width there is: they are one network.
    monkeypatch.setattr(SPACE, "WIDTHS", (0.01, 0.02, 8.0))
    monkeypatch.setattr(SPACE, "_DEPTHS", {"mlp": (1,)})
    monkeypatch.setattr(SPACE, "RESOLUTIONS", (1,))
    result = search(
        series(),
        output=tmp_path / "found",
        families=["mlp"],
        candidates=3,
        generation=3,
        limits=Limits(max_flash=6500),
        settings=SETTINGS,
        keep=1,
    )
    refusals = sorted((one.refused or "trained").split(" ")[0] for one in result.judged)
    assert refusals == ["flash", "the", "trained"]
    assert all((one.refused is None) == (one.accuracy is not None) for one in result.judged)
    assert all(one.cost.flash_bytes <= 6500 for one in result.judged if one.accuracy is not None)
    best = result.found[0]
    assert best.folder == tmp_path / "found" / "1-mlp"
    assert best.cost.exact
    record = read_record(best.folder)
    assert record.content["seconds"] > 0
    assert "tensorflow" in record.content["versions"]
    assert record.content["architecture"] == best.judged.candidate.architecture.to_json()
    judged_again = tt.evaluate(best.folder / "model_int8.tflite").host.confusion
    assert judged_again is not None
    assert judged_again.accuracy == best.test_accuracy
    assert json.loads((tmp_path / "found" / "search.json").read_text()) == result.to_json()
    assert ElementTree.parse(result.plot).getroot().tag.endswith("svg")
    assert not work_folder(tmp_path / "found").exists()
    assert sorted(path.name for path in result.folder.iterdir()) == [
        "1-mlp",
        "front.svg",
        "search.json",
    ]


@needs_tensorflow
def test_a_budget_that_nothing_meets_is_told_by_candidate(tmp_path: Path) -> None:
    out = tmp_path / "found"
    np.savez(tmp_path / "waves.npz", x=series().samples, y=series().labels)
    words = ("--families", "mlp", "--candidates", "2", "--max-flash", "100", "--json", "-q")
    told = tinyml("search", tmp_path / "waves.npz", *words, "-o", out)
    assert told.code == 4
    assert "none of 2 networks is within the limits on qemu-m4 (flash 100)" in told.error["message"]
    assert len(told.error["details"]) == 2
    assert "--resume" in told.error["hint"]
    assert not out.exists()


@pytest.mark.slow
@needs_tensorflow
def test_a_search_goes_on_after_ctrl_c_and_finds_the_same(tmp_path: Path) -> None:
    np.savez(tmp_path / "waves.npz", x=series().samples, y=series().labels)
    words = ("--families", "mlp", "--candidates", "4", "--generation", "2", "--epochs", "8")
    whole = tinyml("search", tmp_path / "waves.npz", *words, "-o", tmp_path / "whole", "--json")
    assert whole.code == 0, whole.stderr
    target = tmp_path / "stopped"
    command = ["search", tmp_path / "waves.npz", *words, "-o", target]
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyml_tool", *map(str, command)],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
    )
    journal = work_folder(target) / "journal.jsonl"
    end = time.monotonic() + 120
    while not (journal.is_file() and journal.read_text().count("\n") >= 2):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"go on with --resume" in errors
    assert not target.exists()
    resumed = tinyml(*map(str, command), "--resume", "--json")
    assert resumed.code == 0, resumed.stderr
    one, other = (told.envelope["result"] for told in (whole, resumed))
    assert sorted(map(str, one["candidates"])) == sorted(map(str, other["candidates"]))
    names = [[found["name"] for found in result["front"]] for result in (one, other)]
    assert names[0] == names[1]
