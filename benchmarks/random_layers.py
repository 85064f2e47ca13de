"""Runs random layers on this computer and in emulators, and counts values that differ.

    python benchmarks/random_layers.py --count 20000 --journal layers.jsonl
    python benchmarks/random_layers.py --count 300 --board qemu-m4 --journal m4.jsonl

Each layer is compared, value by value, with TensorFlow Lite Micro; on this computer under the
address and undefined-behaviour sanitizers.  The families of layers are those of the tests
(`tests/kernels/layer_families.py`), by turns with the cores and presets.  What is done is kept in
the journal: the same command goes on where it was stopped.  Needs the development dependencies.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tinyml_tool as tt
from tinyml_tool.boards import Core, load_boards
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.target import Target
from tinyml_tool.config import Optimize
from tinyml_tool.errors import DoesNotFitError, TinymlError
from tinyml_tool.graph.passes.registry import PASSES
from tinyml_tool.graph.reader import parse_model

if TYPE_CHECKING:
    from layer_families import Family

_ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_ROOT / "tests"), str(_ROOT / "tests" / "kernels")]

PRESETS: tuple[Optimize, ...] = ("size", "balanced", "speed")
CORES = ("qemu-m0", "qemu-m3", "qemu-m4", "qemu-m55")
"""Boards whose cores have kernel bodies of their own; M7 and M33 run the M4's."""
_SOURCES = ("firmware_templates/kernels", "tinyml_tool/compiler", "tests/kernels")


@dataclass(frozen=True)
class Batch:
    """One model of random layers; the number decides everything else."""

    number: int
    family: str
    board: str
    preset: Optimize


@dataclass(frozen=True)
class Done:
    """What became of a batch."""

    batch: Batch
    sources: str
    """Fingerprint of what was run."""
    layers: int = 0
    operators: dict[str, int] = field(default_factory=dict)
    kernels: dict[str, int] = field(default_factory=dict)
    values: int = 0
    failure: str | None = None
    """The first value that differs, or what else went wrong."""


def batch_of(number: int, board: str | None = None) -> Batch:
    """Families by turns; after each round the next core and preset."""
    turns = [family.name for family in _families().values() for _ in range(family.share)]
    around, position = divmod(number, len(turns))
    core = board or CORES[(around + position) % len(CORES)]
    preset = PRESETS[(around // len(CORES) + position) % len(PRESETS)]
    return Batch(number, turns[position], core, preset)


def run_on_host(batch: Batch, sources: str) -> Done:
    """Compile the batch's model for this computer, with sanitizers, and compare."""
    family = _families()[batch.family]
    cases = family.draw(batch.number)
    model = family.model(cases)
    core = load_boards()[batch.board].core
    done = _described(model, batch, core, sources, len(cases))
    try:
        values = family.compare(model, cases, sanitize=True, core=core, optimize=batch.preset)
    except (pytest.fail.Exception, AssertionError, TinymlError) as failure:
        return replace(done, failure=str(failure))
    return replace(done, values=values)


def run_on_board(batch: Batch, sources: str) -> Done:
    """Deploy the batch's model to its board's emulator: some of its layers, that they fit."""
    family = _families()[batch.family]
    cases = family.draw(batch.number)
    while cases:
        model = family.model(cases)
        done = _described(model, batch, load_boards()[batch.board].core, sources, len(cases))
        try:
            return replace(done, **_deployed(model, batch))
        except DoesNotFitError:
            cases = cases[: len(cases) // 2]
        except TinymlError as failure:
            return replace(done, failure=str(failure))
    return Done(batch, sources)


def _deployed(model: bytes, batch: Batch) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layers.tflite"
        path.write_bytes(model)
        parity = tt.deploy(
            path,
            board=batch.board,
            optimize=batch.preset,
            output=Path(folder) / "project",
            vectors=4,
            without_passes=list(PASSES),
        ).parity
    failure = None if parity.exact else f"{parity.values_different} differ: {parity}"
    return {"values": parity.values_compared, "failure": failure}


def _described(model: bytes, batch: Batch, core: Core, sources: str, layers: int) -> Done:
    """The operators and the kernels chosen for them, without the RESHAPE that makes a batch."""
    plan = compile_graph(parse_model(model, "layers"), Target(core, batch.preset))
    helpers = () if batch.family == "shape" else ("RESHAPE",)
    chosen = [layer for layer in plan.layers if layer.operator.kind not in helpers]
    return Done(
        batch,
        sources,
        layers,
        dict(Counter(layer.operator.kind for layer in chosen)),
        dict(Counter(layer.call.kernel for layer in chosen if layer.call)),
    )


def _families() -> dict[str, Family]:
    from layer_families import FAMILIES

    return {family.name: family for family in FAMILIES}


def fingerprint() -> str:
    """Of kernels, compiler and strategies: results of other ones prove nothing about these."""
    digest = hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted((_ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".h", ".c"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def read_journal(path: Path) -> list[Done]:
    """The batches that are done; a last line that was cut off counts for nothing."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text().splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        found.append(Done(**{**record, "batch": Batch(**record["batch"])}))
    return found


def remaining(done: list[Done], layers: int, board: str | None) -> Iterator[Batch]:
    """Batches that are not done yet, until there are enough layers."""
    numbers = {one.batch.number for one in done}
    found = sum(one.layers for one in done)
    for number in count():
        if found >= layers:
            return
        if number not in numbers:
            batch = batch_of(number, board)
            found += _families()[batch.family].per_model
            yield batch


def table(done: list[Done]) -> str:
    """Layers by operator and by kernel on each core, as Markdown."""
    boards = sorted({one.batch.board for one in done})
    lines = ["| operator, kernel | " + " | ".join(boards) + " | all |"]
    lines.append("|---|" + "---:|" * (len(boards) + 1))
    for of in ("operators", "kernels"):
        names = sorted({name for one in done for name in getattr(one, of)})
        for name in names:
            counts = [
                sum(getattr(one, of).get(name, 0) for one in done if one.batch.board == board)
                for board in boards
            ]
            shown = name if of == "operators" else f"`{name}`"
            row = " | ".join(f"{number:,}" for number in [*counts, sum(counts)])
            lines.append(f"| {shown} | {row} |")
    return "\n".join(lines)


def summary(done: list[Done]) -> str:
    """One line: what was compared, and what of it differed."""
    failed = sum(one.failure is not None for one in done)
    presets = Counter[str]()
    for one in done:
        presets[one.batch.preset] += one.layers
    by_preset = ", ".join(f"{preset} {number:,}" for preset, number in sorted(presets.items()))
    return (
        f"{sum(one.layers for one in done):,} layers in {len(done):,} models ({by_preset}), "
        f"{sum(one.values for one in done):,} values compared, {failed} models with differences"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="layers (20,000)")
    parser.add_argument("--journal", type=Path, required=True, help="what is done, a line a model")
    parser.add_argument("--board", help="an emulated board instead of this computer")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    return parser.parse_args()


def main() -> int:
    """Run what is missing, then tell the counts; 1 where anything differs."""
    arguments = _arguments()
    sources = fingerprint()
    done = [one for one in read_journal(arguments.journal) if one.sources == sources]
    run = run_on_board if arguments.board else run_on_host
    with ProcessPoolExecutor(arguments.jobs) as pool, arguments.journal.open("a") as journal:
        batches = list(remaining(done, arguments.count, arguments.board))
        for one in pool.map(run, batches, [sources] * len(batches)):
            journal.write(json.dumps(asdict(one)) + "\n")
            journal.flush()
            done.append(one)
            if one.failure:
                print(f"{one.batch}: {one.failure}", file=sys.stderr, flush=True)
    print(table(done))
    print(summary(done))
    return 1 if any(one.failure for one in done) else 0


if __name__ == "__main__":
    sys.exit(main())
