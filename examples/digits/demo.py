"""Puts the digits model on an emulated Cortex-M4 and shows what it does there: `make demo`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from dataset import Samples, load_samples
from numpy.typing import NDArray
from pictures import draw
from rich.columns import Columns
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

import tinyml_tool as tt
from tinyml_tool.boards import load_board
from tinyml_tool.errors import ExitCode, TinymlError
from tinyml_tool.verify.evidence import Evidence

MODEL = Path(__file__).resolve().parent / "digits.tflite"
BOARD = "qemu-m4"
PROJECT = Path("out") / f"digits-{BOARD}"
SHOWN = 8


def main() -> int:
    console = Console(highlight=False)
    try:
        return show(console)
    except TinymlError as error:
        console.print(Text(f"error: {error.message}", "bold red"))
        console.print(*(Text(line) for line in (*error.details, error.hint or "")), sep="\n")
        return error.exit_code


def show(console: Console) -> int:
    _, test = load_samples()
    with console.status("") as status:

        def progress(stage: str) -> None:
            status.update(f"{MODEL.stem} on {BOARD}: {stage}")

        evidence = tt.deploy(MODEL, board=BOARD, output=PROJECT, force=True, progress=progress)
        progress(f"reading {len(test.labels)} handwritten digits")
        answers = answers_of_device(test)

    console.print(gallery(test, answers, colours=console.color_system in ("256", "truecolor")))
    console.print(facts(evidence, answers, test.labels))
    return verdict(console, evidence)


def answers_of_device(samples: Samples) -> NDArray[np.int64]:
    """Run all pictures on the device; the class with the highest score is its answer."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pictures.npy"
        np.save(file, samples.images)
        result = tt.run(PROJECT, inputs=[file])
    return np.array([int(outputs[0].values.argmax()) for outputs in result.outputs])


def gallery(samples: Samples, answers: NDArray[np.int64], *, colours: bool) -> Columns:
    """Show the first picture of some digits, and the first that the device got wrong, if any."""
    chosen = [int(np.flatnonzero(samples.labels == digit)[0]) for digit in range(SHOWN)]
    wrong = np.flatnonzero(answers != samples.labels)
    chosen[-1:] = wrong[:1].tolist() or chosen[-1:]
    return Columns(
        [
            Group(
                draw(samples.images[i, :, :, 0], colours=colours),
                caption(int(answers[i]), int(samples.labels[i])),
            )
            for i in chosen
        ],
        padding=(1, 2),
    )


def caption(answer: int, truth: int) -> Text:
    if answer == truth:
        return Text(f"device: {answer}", "green")
    return Text(f"device: {answer}, not {truth}", "red")


def facts(evidence: Evidence, answers: NDArray[np.int64], truth: NDArray[np.int64]) -> Table:
    right = int(np.sum(answers == truth))
    share = f"{100 * right / len(truth):.1f} %"
    rows = {
        "model": f"{MODEL.name}, {MODEL.stat().st_size:,} bytes",
        "board": f"{load_board(BOARD).name}, engine {evidence.engine}",
        "accuracy on the device": f"{share} ({right} of {len(truth)} test pictures)",
    }
    if evidence.instructions_per_inference is not None:
        rows["instructions (emulated)"] = f"{evidence.instructions_per_inference:,} an inference"
    if evidence.memory is not None:
        rows["flash"] = f"{evidence.memory.flash_bytes:,} bytes"
        rows["RAM"] = f"{evidence.memory.ram_bytes:,} bytes"
        rows["  of it tensors"] = f"{evidence.memory.arena_bytes:,} bytes"
        rows["stack used"] = f"{evidence.memory.stack_bytes:,} bytes"
    rows["time"] = f"{sum(evidence.seconds.values()):.1f} s from model to verdict"
    rows["project"] = f"{PROJECT}/"
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def verdict(console: Console, evidence: Evidence) -> int:
    parity = evidence.parity
    compared = (
        f"{parity.values_different:,} of {parity.values_compared:,} values differ from TensorFlow "
        f"Lite Micro\n({parity.layers} layers, {parity.vectors} test inputs)"
    )
    if parity.exact:
        console.print(f"\n[bold green]EXACT[/]  {compared}")
        return ExitCode.OK
    console.print(f"\n[bold red]DIFFERENT[/]  {compared}; first in {parity.first_difference}")
    return ExitCode.MISMATCH


if __name__ == "__main__":
    sys.exit(main())
