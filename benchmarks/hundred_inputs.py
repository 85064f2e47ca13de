"""Compares whole models with TensorFlow Lite Micro: every model, core and preset, 100 inputs each.

    python benchmarks/hundred_inputs.py --models FOLDER --journal inputs.jsonl

Every layer of every inference is compared value by value.  What is done is kept in the journal:
the same command goes on where it was stopped, and prints the table that `docs/proof.md` has.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from random_layers import PRESETS, fingerprint

import tinyml_tool as tt
from tinyml_tool.config import Optimize

MODELS = ("ad01_int8", "kws_ref_model", "vww_96_int8", "pretrainedResnet_quant")
BOARDS = ("qemu-m4", "qemu-m55", "qemu-m3", "qemu-m0plus", "qemu-m7", "qemu-m33")
"""The M0's own board is too small for these models: its code runs on the board of a file."""
_M0PLUS = Path(__file__).with_name("qemu-m0plus.toml")


@dataclass(frozen=True)
class Run:
    """One model with one preset on one core."""

    model: str
    board: str
    preset: Optimize
    sources: str
    inputs: int
    layers: int
    values: int
    different: int
    instructions: int


def measure(folder: Path, model: str, board: str, preset: Optimize, inputs: int) -> Run:
    """Deploy the model and compare all layers of all inferences."""
    own_file = board == _M0PLUS.stem
    # A board file of one's own is none that PlatformIO knows.
    system: Any = "cmake" if own_file else "platformio"
    with tempfile.TemporaryDirectory() as place:
        evidence = tt.deploy(
            folder / f"{model}.tflite",
            board=_M0PLUS if own_file else board,
            optimize=preset,
            output=Path(place) / "project",
            vectors=inputs,
            system=system,
            time_limit=1800,
        )
    parity = evidence.parity
    return Run(
        model,
        board,
        preset,
        fingerprint(),
        parity.vectors,
        parity.layers,
        parity.values_compared + parity.values_foretold,
        parity.values_different,
        evidence.instructions_per_inference or 0,
    )


def read_journal(path: Path) -> list[Run]:
    """The runs that are done."""
    lines = path.read_text().splitlines() if path.exists() else []
    return [Run(**json.loads(line)) for line in lines if line.endswith("}")]


def table(runs: list[Run]) -> str:
    """Values compared by model and core, all presets together, as Markdown."""
    lines = ["| model | " + " | ".join(BOARDS) + " |", "|---|" + "---:|" * len(BOARDS)]
    for model in MODELS:
        cells = []
        for board in BOARDS:
            found = [run for run in runs if (run.model, run.board) == (model, board)]
            values = sum(run.values for run in found)
            different = sum(run.different for run in found)
            cells.append(f"{different} of {values:,} ({len(found)} presets)" if found else "-")
        lines.append(f"| {model} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def summary(runs: list[Run]) -> str:
    """One line for all runs."""
    return (
        f"{sum(run.inputs for run in runs):,} inferences in {len(runs)} runs, "
        f"{sum(run.values for run in runs):,} values compared, "
        f"{sum(run.different for run in runs)} differ"
    )


def main() -> int:
    """Run what is missing, then tell the counts; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, help="folder of the .tflite files")
    parser.add_argument("--journal", type=Path, required=True, help="what is done, a line a run")
    parser.add_argument("--inputs", type=int, default=100, help="test inputs of each run (100)")
    arguments = parser.parse_args()
    runs = [run for run in read_journal(arguments.journal) if run.sources == fingerprint()]
    done = {(run.model, run.board, run.preset) for run in runs}
    with arguments.journal.open("a") as journal:
        for board, preset, model in product(BOARDS, PRESETS, MODELS):
            if (model, board, preset) in done:
                continue
            run = measure(arguments.models, model, board, preset, arguments.inputs)
            journal.write(json.dumps(asdict(run)) + "\n")
            journal.flush()
            runs.append(run)
            print(run, flush=True)
    print(table(runs))
    print(summary(runs))
    return 1 if any(run.different for run in runs) else 0


if __name__ == "__main__":
    sys.exit(main())
