"""`search`: looks for networks that fit a board and a budget, and hands out the best."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tinyml_tool.api.cost import Cost, measure_cost, require_emulator
from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.api.hand_out import hand_out, measured_front
from tinyml_tool.api.search_result import (
    Baseline,
    Judged,
    Limits,
    SearchResult,
)
from tinyml_tool.api.search_run import SearchRun, accuracy_of
from tinyml_tool.api.training_facts import data_facts, what_was_trained
from tinyml_tool.api.training_features import (
    FeatureSource,
    feature_use,
    prepare_with,
    read_data,
)
from tinyml_tool.api.training_run import resumable
from tinyml_tool.boards import Board, load_board
from tinyml_tool.errors import DoesNotFitError, InputError, TinymlError
from tinyml_tool.graph.model_file import read_file
from tinyml_tool.train.dataset import Dataset
from tinyml_tool.train.datasets.read import ReadOptions
from tinyml_tool.train.journal import Journal
from tinyml_tool.train.output_lock import alone_in_output
from tinyml_tool.train.pareto_plot import PlotPoint, front_svg
from tinyml_tool.train.prepare import apply_features
from tinyml_tool.train.result_folder import (
    TEST_FILE,
    VALIDATION_FILE,
    check_target,
    close_work,
    open_work,
    write_result,
)
from tinyml_tool.train.scaling import ScalingKind
from tinyml_tool.train.search_space import first_network, space_for
from tinyml_tool.train.settings import TrainSettings, check_settings
from tinyml_tool.train.splits import SplitShares

RESULT_FILE = "search.json"
PLOT_FILE = "front.svg"
JOURNAL_FILE = "journal.jsonl"


@alone_in_output
def search(
    data: str | Path | Dataset,
    *,
    output: str | Path,
    board: str | Path | Board = "qemu-m4",
    limits: Limits | None = None,
    candidates: int = 24,
    generation: int = 6,
    families: Sequence[str] = (),
    settings: TrainSettings | None = None,
    seed: int = 0,
    keep: int = 5,
    baseline: str | Path | None = None,
    beat: bool = False,
    reading: ReadOptions | None = None,
    shares: SplitShares | None = None,
    scaling: ScalingKind | None = None,
    features: FeatureSource | None = None,
    features_record: str | Mapping[str, Any] = "custom",
    resume: bool = False,
    force: bool = False,
    progress: Progress = no_progress,
) -> SearchResult:
    """Try `candidates` networks on `data`, in generations, and write the best to `output`.

    Each is built untrained, quantized, compiled and measured on `board` first; only those within
    `limits` are trained.  The next generation are neighbours of the best so far by validation
    accuracy (int8, in the reference), flash and instructions.  The front is measured again, judged
    on the test samples, and the `keep` most accurate of it become folders like a training's.
    `baseline` is a `.tflite` to compare with; with `beat`, its flash and instructions are limits.
    After an interruption `resume` goes on.  Raises InputError for data, options and places,
    DoesNotFitError where nothing tried is within the limits, ToolMissingError, TrainingError where
    the training process dies.
    """
    target, chip, limits = Path(output), load_board(board), limits or Limits()
    _check_limits(limits)
    settings, shares = settings or TrainSettings(), shares or SplitShares()
    check_settings(settings)
    require_emulator(chip)
    if candidates < 1 or generation < 1 or keep < 1:
        raise InputError("candidates, generation and keep must be at least 1")
    check_target(target, force=force, mark=RESULT_FILE)
    baseline_cost = None
    if baseline is not None:
        progress(f"measuring {Path(baseline).name} on {chip.id}")
        baseline_cost = measure_cost(read_file(Path(baseline)), chip, name=Path(baseline).stem)
        limits = tightened(limits, baseline_cost) if beat else limits
    elif beat:
        raise InputError("there is no baseline to beat", hint="name a .tflite with --baseline")
    use = feature_use(features, features_record)
    progress("reading the data")
    dataset = read_data(data, reading, use)
    compute = None if use is None else use.of(dataset)
    shape = tuple(apply_features(dataset.samples[:1], compute).shape[1:])
    first = first_network(shape, families)
    prepared, use = prepare_with(use, dataset, first, shares=shares, scaling=scaling)
    space = space_for(tuple(prepared.x.shape[1:]), families)
    header = {
        "data": prepared.sha256,
        "board": chip.id,
        "limits": asdict(limits),
        "generation": generation,
        "families": list(space.families),
        "settings": settings.to_json(),
        "seed": seed,
    }
    work = open_work(target, resume=resume, force=force, keeps=JOURNAL_FILE)
    journal = Journal(work / JOURNAL_FILE, header)
    run = SearchRun(work, chip, limits, settings, prepared, journal, progress)
    with resumable(target), _kept(run):
        run.write_samples()
        reference = None
        if baseline is not None and baseline_cost is not None:
            progress(f"judging {Path(baseline).name}")
            reference = _baseline(Path(baseline), work, baseline_cost)
        judged = run.generations(space, candidates, generation, seed)
        best = measured_front(run, judged)
    if not best:
        raise _nothing_fits(judged, limits, chip)
    record = {
        **what_was_trained(run.job("train_many", []), prepared, first, None, use),
        "data": data_facts(prepared, shares),
    }
    spec = use.spec if use is not None else None
    with resumable(target), _kept(run):
        found, moved, made = hand_out(run, best, keep, target, record, spec)
    result = SearchResult(target, chip.id, limits, tuple(judged), tuple(found), reference)
    made[RESULT_FILE] = (json.dumps(result.to_json(), indent=2) + "\n").encode()
    made[PLOT_FILE] = plot_of(result).encode()
    write_result(target, moved, made, force=force, mark=RESULT_FILE)
    close_work(work)
    return result


@contextmanager
def _kept(run: SearchRun) -> Iterator[None]:
    """Where the search fails, keep what it judged and say so, or leave nothing."""
    try:
        yield
    except TinymlError as error:
        if not run.journal.entries:
            close_work(run.work)
        else:
            judged = f"{len(run.journal.entries)} networks are judged: go on with --resume"
            error.hint = f"{error.hint}; {judged}" if error.hint else judged
        raise


def plot_of(result: SearchResult) -> str:
    """All candidates that were trained, the front and the baseline as SVG."""
    chosen = {one.judged.candidate.id for one in result.found}
    points = [
        PlotPoint(
            str(one.candidate),
            one.accuracy,
            one.cost.flash_bytes,
            one.cost.instructions or 0,
            "front" if one.candidate.id in chosen else "other",
        )
        for one in result.judged
        if one.accuracy is not None and one.cost is not None
    ]
    if result.baseline is not None:
        cost = result.baseline.cost
        points.append(
            PlotPoint(
                result.baseline.model,
                result.baseline.validation_accuracy,
                cost.flash_bytes,
                cost.instructions or 0,
                "baseline",
            )
        )
    return front_svg(points, board=result.board)


def tightened(limits: Limits, cost: Cost) -> Limits:
    """The limits, and no more flash and instructions than `cost` has."""
    flash = [cost.flash_bytes, *([limits.max_flash] if limits.max_flash else [])]
    counts = [one for one in (cost.instructions, limits.max_instructions) if one]
    return replace(limits, max_flash=min(flash), max_instructions=min(counts, default=None))


def _check_limits(limits: Limits) -> None:
    least = limits.min_accuracy
    if least is not None and not 0 <= least <= 1:
        raise InputError(
            f"an accuracy of {least:g} is not from 0 to 1", hint="0.9 is nine right of ten"
        )


def _baseline(model: Path, work: Path, cost: Cost) -> Baseline:
    samples = work / VALIDATION_FILE
    try:
        validation = accuracy_of(model, samples)
    except InputError as error:
        raise InputError(
            f"{model}: cannot be the baseline: {error.message.removeprefix(f'{samples}: ')}",
            hint="name a model that takes the inputs of this search and knows its classes",
        ) from None
    return Baseline(str(model), validation, accuracy_of(model, work / TEST_FILE), cost)


def _nothing_fits(judged: Sequence[Judged], limits: Limits, board: Board) -> DoesNotFitError:
    trained = [one.accuracy for one in judged if one.accuracy is not None]
    if trained and limits.min_accuracy is not None and max(trained) < limits.min_accuracy:
        return DoesNotFitError(
            f"none of {len(judged)} networks reaches an accuracy of {limits.min_accuracy:g} on the "
            f"validation samples; the best has {max(trained):.3f}",
            hint="try more --candidates with --resume, or begin anew with --force and more "
            "--epochs, higher limits or a lower --min-accuracy",
        )
    told = ", ".join(
        f"{name.removeprefix('max_')} {value:,}"
        for name, value in asdict(limits).items()
        if value is not None and name != "min_accuracy"
    )
    within = told or "its memory"
    return DoesNotFitError(
        f"none of {len(judged)} networks is within the limits on {board.id} ({within})",
        hint="try more --candidates with --resume, or begin anew with --force and higher limits "
        "or other --families",
        details=[f"{one.candidate}: {one.refused}" for one in judged if one.refused],
    )
