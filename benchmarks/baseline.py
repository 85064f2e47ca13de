"""Instructions and bytes that must not get worse: `python benchmarks/baseline.py --models FOLDER`.

Measures the models of `baseline.json` again and writes what it finds.  `tests/deploy` compares with
that file, so that a count gets worse on purpose or not at all.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import tinyml_tool as tt

FILE = Path(__file__).with_name("baseline.json")
_M0PLUS_FILE = Path(__file__).with_name("qemu-m0plus.toml")
DIGITS = Path(__file__).parents[1] / "examples" / "digits" / "digits.tflite"


@dataclass(frozen=True)
class Cost:
    """What a model costs on a board, by the compiler that the file names."""

    instructions: int
    flash_bytes: int
    """Of a program that only initialises and runs the model once."""
    arena_bytes: int


def measure(model: Path, board: str) -> tuple[Cost, str]:
    """The cost of a model on a board, and the compiler's version."""
    with tempfile.TemporaryDirectory() as folder:
        given = str(_M0PLUS_FILE) if board == "qemu-m0plus" else board
        evidence = tt.deploy(model, board=given, output=Path(folder) / "p", vectors=2)
        assert evidence.parity.exact and evidence.memory is not None
        assert evidence.instructions_per_inference is not None
        minimal = tt.build(Path(folder) / "p", program="minimal")
        cost = Cost(
            evidence.instructions_per_inference,
            minimal.facts.flash_bytes,
            evidence.memory.arena_bytes,
        )
        return cost, minimal.compiler.version


def read() -> tuple[str, dict[str, dict[str, Cost]]]:
    """The compiler's version, and the costs by model and board."""
    content = json.loads(FILE.read_text())
    costs = {
        model: {board: Cost(**cost) for board, cost in boards.items()}
        for model, boards in content["models"].items()
    }
    return content["compiler"], costs


def path_of(model: str, folder: Path) -> Path:
    """Where a model of the file lies."""
    return DIGITS if model == "digits" else folder / f"{model}.tflite"


def main() -> None:
    """Measure all and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder of the .tflite files")
    parser.add_argument("--only", nargs="+", metavar="MODEL", help="keep what is known of others")
    arguments = parser.parse_args()
    folder, only = arguments.models, arguments.only
    known, models = read()
    version = known
    written: dict[str, dict[str, dict[str, int]]] = {}
    for model, boards in models.items():
        for board, old in boards.items():
            cost = old
            if only is None or model in only:
                cost, version = measure(path_of(model, folder), board)
            written.setdefault(model, {})[board] = asdict(cost)
            print(f"{model} {board} {asdict(cost)}", flush=True)
    if only is not None and version != known:
        parser.error(f"the others were measured with GCC {known}, not {version}: measure all")
    FILE.write_text(json.dumps({"compiler": version, "models": written}, indent=2) + "\n")


if __name__ == "__main__":
    main()
