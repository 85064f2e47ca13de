"""`quantize --fit`: tries the ladder from float to the smallest integers on one board."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tinyml_tool.api.engines import ENGINES, EngineOptions
from tinyml_tool.api.float_source import FloatSource, find_float_model
from tinyml_tool.api.generate import Progress, no_progress, write_generated
from tinyml_tool.api.model_source import ModelSource
from tinyml_tool.api.narrower import Narrower, narrower_of, training_of
from tinyml_tool.api.preprocessing import plan_preprocessing
from tinyml_tool.api.quantize import CALIBRATION_SAMPLES, choose_data, quantize_model
from tinyml_tool.boards import Board, load_board
from tinyml_tool.compiler.footprint import fits, flash_on, footprint_estimate, ram_on
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.tflm_plan import AnyPlan, TflmPlan
from tinyml_tool.config import Optimize
from tinyml_tool.errors import BuildError, DoesNotFitError, TinymlError, ToolMissingError
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.output_file import check_output_file, write_output_file
from tinyml_tool.quantization.options import PortType, QuantizationOptions, Scheme
from tinyml_tool.quantization.result import Quantized
from tinyml_tool.toolchain.build import build_project

ENOUGH = 0.01
"""Accuracy that a smaller model may lack and still be preferred: 1 point."""


@dataclass(frozen=True)
class Rung:
    """One way to make the model smaller."""

    name: str
    options: QuantizationOptions | None
    """None for the float model itself."""
    engine: str
    optimize: Optimize | None = None
    """Engine aot's preset; None for the usual one."""
    width: float = 1.0


LADDER: tuple[Rung, ...] = (
    Rung("float", None, TflmPlan.engine),
    Rung("int16x8", QuantizationOptions(Scheme.INT16X8), TflmPlan.engine),
    Rung("int16x8", QuantizationOptions(Scheme.INT16X8), Plan.engine),
    Rung("int8, float input", QuantizationOptions(input_type=PortType.FLOAT), Plan.engine),
    Rung("int8", QuantizationOptions(), Plan.engine),
    Rung("int8, --optimize size", QuantizationOptions(), Plan.engine, "size"),
    Rung("int8", QuantizationOptions(), TflmPlan.engine),
    Rung("int4 weights", QuantizationOptions(Scheme.INT4), Plan.engine),
    Rung("int4 weights", QuantizationOptions(Scheme.INT4), TflmPlan.engine),
)
"""From the most exact to the smallest; what an engine cannot run is shown with the reason."""
NARROW_WIDTHS = (0.75, 0.5, 0.25)


@dataclass(frozen=True, eq=False)
class RungResult:
    """What a rung gave; sizes are None where its engine does not run the model."""

    rung: Rung
    fits: bool
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    measured_flash_bytes: int | None = None
    """Of the smallest program that runs the model, as built; None where none was built."""
    model_bytes: int | None = None
    accuracy: float | None = None
    auc: float | None = None
    agreement: float | None = None
    output_sqnr_db: float | None = None
    why_not: str | None = None
    model: bytes | None = None
    quantized: Quantized | None = None

    def to_json(self) -> dict[str, Any]:
        """For machines: without the models themselves."""
        options = self.rung.options
        return {
            "name": self.rung.name,
            "scheme": "float" if options is None else options.scheme.value,
            "engine": self.rung.engine,
            "optimize": self.rung.optimize,
            "width": self.rung.width,
            **{
                name: getattr(self, name)
                for name in (
                    *("fits", "flash_bytes", "ram_bytes", "measured_flash_bytes", "model_bytes"),
                    *("accuracy", "auc", "agreement", "output_sqnr_db", "why_not"),
                )
            },
        }


@dataclass(frozen=True, eq=False)
class FitTable:
    """All rungs on one board, and the one to take."""

    board: Board
    rungs: tuple[RungResult, ...]
    chosen: RungResult | None
    """Of those that fit the most accurate; among equals (1 point) the smallest."""

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        memory = self.board.memory
        place = None if self.chosen is None else self.rungs.index(self.chosen)
        chosen = self.chosen.quantized if self.chosen else None
        return {
            "board": self.board.id,
            "flash_available": memory.flash.size,
            "ram_available": memory.ram_total,
            "rungs": [rung.to_json() for rung in self.rungs],
            "chosen": place,
            "data": asdict(chosen.use) if chosen else None,
        }


def quantize_to_fit(
    model: str | Path,
    *,
    board: str | Path | Board,
    data: str | Path | None = None,
    test: str | Path | None = None,
    output: str | Path | None = None,
    calibration: int = CALIBRATION_SAMPLES,
    narrower: Narrower | None = None,
    train_narrower: bool = True,
    measure: bool = True,
    force: bool = False,
    progress: Progress = no_progress,
) -> FitTable:
    """Try every rung of the ladder and choose; writes the chosen model to `output`.

    Where none of its rungs fits, the network is trained anew at 75, then 50, then 25 % of its
    width, until one fits: by `narrower`, else as it was trained, where `model` is a training's;
    not with `train_narrower=False`.  With `measure`
    the program of the chosen rung is built, if the board's compiler is installed.  Flash and RAM
    are estimates of the whole firmware otherwise.  Raises DoesNotFitError with all numbers where no
    rung fits, and whatever `quantize` raises.
    """
    target = None if output is None else Path(output)
    if target is not None:
        check_output_file(target, force=force)
    chip = load_board(board) if not isinstance(board, Board) else board
    found = find_float_model(model, data, test)
    rungs = _try_all(found, LADDER, chip, calibration, progress)
    if train_narrower and not any(rung.fits for rung in rungs):
        with _trainer(narrower, model) as train:
            if train is not None:
                rungs += _narrower_rungs(train, chip, calibration, progress)
    chosen = _choose(rungs)
    if chosen is None:
        raise _nothing_fits(found.name, chip, rungs, _way_out(model, rungs))
    if measure:
        measured = _measured(chosen, chip, found.name, progress)
        rungs = [measured if rung is chosen else rung for rung in rungs]
        chosen = measured
    if target is not None and chosen.model is not None:
        write_output_file(target, chosen.model, force=force)
    return FitTable(chip, tuple(rungs), chosen)


@contextmanager
def _trainer(narrower: Narrower | None, model: str | Path) -> Iterator[Narrower | None]:
    """What trains narrower networks: as told, or as the training of `model` did; None: nothing."""
    folder = training_of(model)
    if narrower is not None or folder is None:
        yield narrower
        return
    with tempfile.TemporaryDirectory(prefix="tinyml-narrower-") as place:
        yield narrower_of(folder, Path(place))


def _narrower_rungs(
    train: Narrower, board: Board, calibration: int, progress: Progress
) -> list[RungResult]:
    """Rungs of narrower and narrower networks, until one fits or cannot be trained."""
    rungs: list[RungResult] = []
    for width in NARROW_WIDTHS:
        progress(f"nothing fits: training at {width:.0%} of the width")
        steps = tuple(replace(rung, width=width) for rung in LADDER if _is_small(rung))
        try:
            source = train(width, progress)
        except TinymlError as error:
            why = f"cannot be trained: {error.message}"
            return [*rungs, RungResult(steps[0], False, why_not=why)]
        rungs += _try_all(source, steps, board, calibration, progress)
        if any(rung.fits for rung in rungs):
            break
    return rungs


def _way_out(model: str | Path, rungs: Sequence[RungResult]) -> str:
    if any(rung.rung.width < 1 for rung in rungs):
        return "choose a larger board (`tinyml boards`), or a smaller network: `tinyml search`"
    folder = training_of(model)
    if folder is not None:
        return (
            f"train a narrower network: `tinyml compress {folder} --method scale --width 0.5 -o "
            "NARROWER`, or leave out --no-narrower; or choose a larger board: `tinyml boards`"
        )
    return (
        "give the folder of `tinyml train`, and narrower networks are trained here; or choose a "
        "larger board: `tinyml boards`"
    )


def _is_small(rung: Rung) -> bool:
    """Whether a narrower network is worth trying there: what is large at full width is not."""
    return rung.options in (QuantizationOptions(), QuantizationOptions(Scheme.INT4))


def _try_all(
    found: FloatSource,
    ladder: Sequence[Rung],
    board: Board,
    calibration: int,
    progress: Progress,
) -> list[RungResult]:
    source = found.read()
    samples = choose_data(
        source.graph,
        found.data,
        found.test,
        calibration=calibration,
        normal=found.normal,
        features=source.features,
        classes=found.classes,
    )
    results: list[RungResult] = []
    made: dict[QuantizationOptions, Quantized | TinymlError] = {}
    for number, rung in enumerate(ladder):
        step = f"{rung.name} on engine {rung.engine} ({number + 1} of {len(ladder)})"
        progress(f"trying {step}")
        if rung.options is None:
            plain = _source(source.told(source.data), found.name)
            results.append(_placed(RungResult(rung, False, accuracy=None), plain, board))
            continue
        if rung.options not in made:
            try:
                made[rung.options] = quantize_model(source, samples, rung.options)
            except TinymlError as error:
                made[rung.options] = error
        outcome = made[rung.options]
        if isinstance(outcome, TinymlError):
            results.append(RungResult(rung, False, why_not=outcome.message))
            continue
        results.append(_quantized(rung, outcome, board))
    return [_with_float_accuracy(result, results) for result in results]


def _quantized(rung: Rung, made: Quantized, board: Board) -> RungResult:
    answers = made.answers
    result = RungResult(
        rung,
        fits=False,
        accuracy=answers.accuracy_after,
        auc=answers.auc_after,
        agreement=answers.agreement,
        output_sqnr_db=answers.output_sqnr_db,
        quantized=made,
    )
    return _placed(result, ModelSource(made.graph, made.data), board)


def _source(data: bytes, name: str) -> ModelSource:
    return ModelSource(parse_model(data, name), data)


def _with_float_accuracy(result: RungResult, others: Sequence[RungResult]) -> RungResult:
    if result.rung.options is not None:
        return result
    made = next((other.quantized for other in others if other.quantized is not None), None)
    if made is None:
        return result
    answers = made.answers
    return replace(result, accuracy=answers.accuracy_before, auc=answers.auc_before)


def _placed(result: RungResult, source: ModelSource, board: Board) -> RungResult:
    """The result with sizes on the board, or with the reason why the engine does not run it."""
    try:
        plan: AnyPlan = ENGINES[result.rung.engine](
            source, board, EngineOptions(result.rung.optimize)
        )
    except TinymlError as error:
        return replace(result, why_not=error.details[0] if error.details else error.message)
    footprint = footprint_estimate(plan)
    features = plan_preprocessing(source, None)
    more_ram = features.ram_bytes if features is not None else 0
    tables = features.constant_bytes if features is not None else 0
    footprint = replace(footprint, flash_bytes=footprint.flash_bytes + tables)
    return replace(
        result,
        fits=fits(footprint, board, more_ram),
        flash_bytes=flash_on(footprint, board),
        ram_bytes=ram_on(footprint, board) + more_ram,
        model_bytes=len(source.data),
        model=source.data,
    )


def _choose(rungs: Sequence[RungResult]) -> RungResult | None:
    fitting = [rung for rung in rungs if rung.fits]
    if not fitting:
        return None
    best = max(_quality(rung) for rung in fitting)
    good = [rung for rung in fitting if _quality(rung) >= best - ENOUGH]
    return min(good, key=lambda rung: (rung.flash_bytes or 0) + (rung.ram_bytes or 0))


def _quality(rung: RungResult) -> float:
    if rung.accuracy is not None:
        return rung.accuracy
    if rung.auc is not None:
        return rung.auc
    if rung.agreement is not None:
        return rung.agreement
    return 1.0 if rung.quantized is None else min(1.0, (rung.output_sqnr_db or 0.0) / 40)


def _measured(chosen: RungResult, board: Board, name: str, progress: Progress) -> RungResult:
    """Build the smallest program of the chosen rung, where the tools for that are there."""
    if chosen.rung.engine != Plan.engine or chosen.quantized is None:
        return chosen
    source = ModelSource(chosen.quantized.graph, chosen.quantized.data)
    plan = ENGINES[chosen.rung.engine](source, board, EngineOptions(chosen.rung.optimize))
    with tempfile.TemporaryDirectory(prefix="tinyml-fit-") as folder:
        project = Path(folder) / "project"
        try:
            features = plan_preprocessing(source, None)
            write_generated(source, plan, board=board, output=project, name=name, features=features)
            firmware = build_project(project, board, program="minimal", progress=progress)
        except (ToolMissingError, BuildError):
            return chosen
    return replace(chosen, measured_flash_bytes=firmware.facts.flash_bytes)


def _nothing_fits(
    name: str, board: Board, rungs: Sequence[RungResult], hint: str
) -> DoesNotFitError:
    memory = board.memory
    return DoesNotFitError(
        f"{name} does not fit {board.id} on any rung of the ladder "
        f"(flash {memory.flash.size:,}, RAM {memory.ram_total:,} bytes)",
        hint=hint,
        details=[_line(rung) for rung in rungs],
    )


def _line(result: RungResult) -> str:
    what = f"{result.rung.name}, engine {result.rung.engine}"
    if result.rung.width != 1.0:
        what += f", width {result.rung.width:g}"
    if result.flash_bytes is None:
        return f"{what}: {result.why_not}"
    return f"{what}: flash {result.flash_bytes:,}, RAM {result.ram_bytes:,} bytes"
