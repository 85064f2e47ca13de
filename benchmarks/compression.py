"""Compresses the examples in every way and prints tables, as docs/compression-measured.md has them.

    python benchmarks/compression.py [EXAMPLE...] [--board qemu-m4] [--folder out] [--trained]
                                     [--float MODEL.tflite]... [--work FOLDER] [--write FILE]

Each example is trained as a user would train it; --trained takes what an earlier run left in
--folder.  What was compressed in --work before is measured again, not trained again.  Models of
--float come without data: they are quantized with random samples, and have no quality to tell.
Engine aot runs all that it can; the others run in engine tflm, where TINYML_TFLM_DIR names
TensorFlow Lite Micro, and their rows say so.  Needs TensorFlow, the cross compiler and QEMU.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import tinyml_tool as tt
from tinyml_tool.api.compress import (
    TABLE_FILE,
    measured_row,
    quality_name,
    record_of,
    usual_settings,
)
from tinyml_tool.api.compression import Row
from tinyml_tool.api.cost import measure_cost
from tinyml_tool.boards import Board, load_board
from tinyml_tool.errors import TinymlError
from tinyml_tool.report.compression import markdown_table
from tinyml_tool.train.compression import CompressOptions, Method
from tinyml_tool.train.record import TrainingRecord

EXAMPLES = ("digits", "activity", "keywords", "anomaly")
_SCHEMES = ("int8", "int16x8", "int4")
_SCRIPTS = Path(__file__).resolve().parents[1] / "examples"


@dataclass(frozen=True)
class Way:
    """One way to a smaller model."""

    name: str
    method: Method
    options: CompressOptions = field(default_factory=CompressOptions)
    epochs: int | None = None
    learning_rate: float | None = None
    examples: tuple[str, ...] = EXAMPLES

    def settings(self, record: TrainingRecord) -> tt.TrainSettings:
        """The method's usual settings, where this way tells no others."""
        usual = usual_settings(record, self.method)
        return replace(
            usual,
            epochs=self.epochs or usual.epochs,
            learning_rate=self.learning_rate or usual.learning_rate,
        )


_CLASSIFIERS = ("digits", "activity", "keywords")
_PICTURES = ("digits", "keywords")
WAYS = (
    Way("QAT, 8 bits", "qat"),
    Way("QAT, weights of 3 bits", "qat", CompressOptions(weight_bits=3), epochs=40),
    Way("QAT, weights of 2 bits", "qat", CompressOptions(weight_bits=2), epochs=40),
    Way("pruned by a quarter", "prune", CompressOptions(share=0.25), 40, 2e-3),
    Way("pruned by half", "prune", CompressOptions(share=0.5), 40, 2e-3),
    Way("half width, distilled", "distill", CompressOptions(width=0.5), 120, None, _CLASSIFIERS),
    Way("half width, no teacher", "scale", CompressOptions(width=0.5), 120),
    Way("quarter width, distilled", "distill", CompressOptions(width=0.25), 120, None, _PICTURES),
    Way("quarter width, no teacher", "scale", CompressOptions(width=0.25), 120, None, _PICTURES),
    Way(
        "averaged by 2",
        "scale",
        CompressOptions(width=1.0, resolution=2),
        120,
        examples=("activity", "keywords"),
    ),
    Way("16 clusters", "cluster", CompressOptions(clusters=16)),
)


def rows_of(example: str, training: Path, work: Path, board: Board) -> Iterator[Row]:
    """A row for each model of one example; what a way stands against comes before it."""
    record = record_of(training)
    parameters = record.content["parameters"]
    float_model = training / "model_float.tflite"
    yield _judged("float", float_model, record, parameters, board)
    for scheme in _SCHEMES:
        file = work / f"{scheme}.tflite"
        tt.quantize(training, scheme=scheme, output=file, force=True)
        yield _judged(scheme, file, record, parameters, board)
    for way in WAYS:
        if example in way.examples:
            _say(f"{example}: {way.name}")
            output = work / way.name.replace(",", "").replace(" ", "-")
            yield from _compressed(way, training, output, record, board)


def _compressed(
    way: Way, training: Path, output: Path, record: TrainingRecord, board: Board
) -> Iterator[Row]:
    if not output.exists():
        try:
            tt.compress(
                training,
                method=way.method,
                output=output,
                options=way.options,
                settings=way.settings(record),
                board=board,
                measure=False,
            )
        except TinymlError as error:
            _say(f"left out: {error.message}")
            return
    rows = json.loads((output / TABLE_FILE).read_text())["rows"]
    if way.options.weight_bits < 8:
        untrained = next(row for row in rows if row["name"] == "rounded, not trained")
        name = f"rounded to {way.options.weight_bits} bits, not trained"
        yield replace(Row(**untrained), name=name)
    yield _judged(way.name, output / "model_int8.tflite", record, rows[-1]["parameters"], board)


def _judged(name: str, model: Path, record: TrainingRecord, parameters: int, board: Board) -> Row:
    return _with_cost(measured_row(name, model, record, parameters, None), model, board)


def float_rows(model: Path, work: Path, board: Board) -> Iterator[Row]:
    """Rows of a float model without data."""
    yield _with_cost(Row("float", None, 0, None, model.stat().st_size), model, board)
    for scheme in _SCHEMES:
        file = work / f"{scheme}.tflite"
        tt.quantize(model, scheme=scheme, output=file, random_calibration=True, force=True)
        yield _with_cost(Row(scheme, None, 0, None, file.stat().st_size), file, board)


def _with_cost(row: Row, model: Path, board: Board) -> Row:
    engine = "tflm" if tt.inspect(model, board=board).problems else "aot"
    name = row.name if engine == "aot" else f"{row.name} (engine tflm)"
    try:
        return replace(row, name=name, cost=measure_cost(model, board, engine=engine))
    except TinymlError as error:
        _say(f"{model.name} in engine {engine}: {error.message}")
        return replace(row, name=name, why_not=error.message)


def _train(name: str, folder: Path) -> None:
    script = [sys.executable, str(_SCRIPTS / name / "run.py"), "--output", str(folder)]
    subprocess.run(script, stdout=subprocess.DEVNULL, check=True)


def section(title: str, measure: str, rows: list[Row]) -> str:
    """A table in Markdown; SystemExit where a device does not answer as the reference does."""
    unequal = [
        row.name
        for row in rows
        if row.cost and not row.cost.exact and not row.name.startswith("float")
    ]
    if unequal:
        raise SystemExit(f"{title}: the device differs from the reference: {', '.join(unequal)}")
    judged = next((f", {row.samples:,} test samples" for row in rows if row.samples), "")
    notes = "".join(f"\n- {row.name}: {row.why_not}.\n" for row in rows if row.why_not)
    return f"## {title}{judged}\n\n{markdown_table(measure, rows)}\n{notes}"


def sections(given: argparse.Namespace, work: Path) -> Iterator[str]:
    """The tables, one by one as they are measured."""
    board = load_board(given.board)
    for name in given.examples:
        folder = given.folder / name
        if not given.trained:
            _say(f"{name}: training")
            _train(name, folder)
        place = work / name
        place.mkdir(exist_ok=True)
        training = folder / "model"
        rows = list(rows_of(name, training, place, board))
        yield section(name, quality_name(record_of(training)), rows)
    for model in given.float:
        place = work / f"float-{model.stem}"
        place.mkdir(exist_ok=True)
        yield section(f"{model.stem}, no data", "accuracy", list(float_rows(model, place, board)))


def _say(text: str) -> None:
    print(f"... {text}", file=sys.stderr, flush=True)


HEAD = """# Compression, measured

Made by `python benchmarks/compression.py`; [what the rows are](compression.md#measured).

"""


def main() -> None:
    """Run everything and print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("examples", nargs="*", default=EXAMPLES, help=", ".join(EXAMPLES))
    parser.add_argument("--board", default="qemu-m4", help="an emulated board")
    parser.add_argument("--folder", type=Path, default=Path("out"), help="where examples work")
    parser.add_argument("--trained", action="store_true", help="take what an earlier run trained")
    parser.add_argument("--float", type=Path, action="append", default=[], help="a model, no data")
    parser.add_argument("--work", type=Path, help="keep compressed models here [default: nowhere]")
    parser.add_argument("--write", type=Path, help="put the tables into this file, too")
    given = parser.parse_args()
    made = []
    with ExitStack() as stack:
        if given.work is None:
            temporary = tempfile.TemporaryDirectory(prefix="tinyml-compression-")
            given.work = Path(stack.enter_context(temporary))
        given.work.mkdir(parents=True, exist_ok=True)
        for text in sections(given, given.work):
            print(text, flush=True)
            made.append(text)
    if given.write is not None:
        given.write.write_text(HEAD + "\n".join(made))


if __name__ == "__main__":
    main()
