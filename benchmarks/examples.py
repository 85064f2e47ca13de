"""Measures the examples' models as float, int8 and int16x8 on an emulated board.

    python benchmarks/examples.py [EXAMPLE...] [--board ID] [--folder out] [--trained]

Each example is run as a user would; then its float model is quantized by each scheme, deployed, and
evaluated on the board with all test samples: by engine aot where that runs it, else by engine tflm,
where TINYML_TFLM_DIR names TensorFlow Lite Micro.  Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tables import head

import tinyml_tool as tt
from tinyml_tool.api.evaluation import ModelFigures
from tinyml_tool.errors import DeviceError, ToolMissingError
from tinyml_tool.verify.agreement import Agreement
from tinyml_tool.verify.parity import Parity

_EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
_NAMES = ("digits", "activity", "keywords", "anomaly")
_COLUMNS = (
    "example",
    "model",
    "engine",
    "quality",
    "bytes",
    "flash",
    "RAM",
    "tensors",
    "instructions",
    "differing",
)


@dataclass(frozen=True)
class Row:
    """One model of an example on the board."""

    example: str
    scheme: str
    engine: str
    quality: str
    model_bytes: int
    flash_bytes: int
    ram_bytes: int
    arena_bytes: int
    instructions: int
    differing: str
    """Test samples whose outputs are not the reference's; for floats whether that is rounding."""

    def cells(self) -> list[str]:
        """As the table shows it."""
        sizes = (self.model_bytes, self.flash_bytes, self.ram_bytes, self.arena_bytes)
        numbers = [f"{number:,}" for number in (*sizes, self.instructions)]
        return [self.example, self.scheme, self.engine, self.quality, *numbers, self.differing]


def measure(name: str, training: Path, board: str) -> Iterator[Row]:
    """All models of one example; those that no engine here can run are told and left out."""
    models = {"float": training / "model_float.tflite"}
    with tempfile.TemporaryDirectory() as folder:
        for scheme in ("int8", "int16x8"):
            models[scheme] = Path(folder) / f"{scheme}.tflite"
            tt.quantize(training, output=models[scheme], scheme=scheme)
        for scheme, model in models.items():
            engine = "aot" if _runs_in_aot(model, board) else "tflm"
            try:
                yield _row(name, scheme, engine, model, training, board, Path(folder))
            except (ToolMissingError, DeviceError) as error:
                print(f"{name} {scheme} {engine}: {error.message}", file=sys.stderr)


def _runs_in_aot(model: Path, board: str) -> bool:
    return not tt.inspect(model, board=board).problems


def _row(
    name: str, scheme: str, engine: str, model: Path, training: Path, board: str, folder: Path
) -> Row:
    project = folder / scheme
    evidence = tt.deploy(model, board=board, output=project, engine=engine)
    evaluation = tt.evaluate(model, data=training, on=board, engine=engine)
    device, memory = evaluation.device, evidence.memory
    assert device is not None, "it was evaluated on a board"
    assert memory is not None, "its firmware was built here"
    return Row(
        example=name,
        scheme=scheme,
        engine=engine,
        quality=_quality(device.figures),
        model_bytes=model.stat().st_size,
        flash_bytes=memory.flash_bytes,
        ram_bytes=memory.ram_bytes,
        arena_bytes=memory.arena_bytes,
        instructions=evidence.instructions_per_inference or 0,
        differing=_differing(device.agreement, evidence.parity),
    )


def _differing(found: Agreement, parity: Parity) -> str:
    if parity.values_rounded and parity.agrees:
        return "rounding"
    return f"{found.samples_different} of {found.samples:,}"


def _quality(figures: ModelFigures) -> str:
    if figures.confusion is not None:
        return f"{100 * figures.confusion.accuracy:.1f} %"
    assert figures.anomaly is not None, "there is one or the other"
    return f"AUC {figures.anomaly.auc or 0:.4f}"


def main() -> int:
    """Run the examples, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", nargs="*", default=_NAMES, help=", ".join(_NAMES))
    parser.add_argument("--board", default="qemu-m4", help="an emulated board")
    parser.add_argument("--folder", type=Path, default=Path("out"), help="where examples work")
    parser.add_argument("--trained", action="store_true", help="take what an earlier run trained")
    given = parser.parse_args()
    print(head(_COLUMNS, left=4))
    for name in given.examples:
        folder = given.folder / name
        if not given.trained:
            script = [sys.executable, str(_EXAMPLES / name / "run.py"), "--output", str(folder)]
            subprocess.run(script, stdout=subprocess.DEVNULL, check=True)
            exact = json.loads((folder / "result.json").read_text())["exact"]
            assert exact, "run.py fails where it is not"
        for row in measure(name, folder / "model", given.board):
            print(f"| {' | '.join(row.cells())} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
