"""Compresses a trained model in every way and prints one table, as docs/compression.md has it.

    python benchmarks/compression.py [TRAINING] [--board qemu-m4] [--work FOLDER]

TRAINING is a folder of `tinyml train`; without it, a DS-CNN is trained on scikit-learn's digits:
the last 450 of 1,797 pictures are the test.  Needs TensorFlow, the cross compiler and QEMU.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

import tinyml_tool as tt
from tinyml_tool.api.compress import measured_row, record_of, usual_settings
from tinyml_tool.api.compression import Row
from tinyml_tool.boards import load_board
from tinyml_tool.report.compression import markdown_table
from tinyml_tool.train.compression import CompressOptions, Method
from tinyml_tool.train.dataset import TEST, UNASSIGNED, Dataset, make_dataset

ARCH = "ds_cnn:width=0.5,depth=3"
SETTINGS = tt.TrainSettings(epochs=80, augmentation=tt.Augmentation(shift=1, noise=0.05))
TEST_SAMPLES = 450
WAYS: tuple[tuple[str, Method, CompressOptions], ...] = (
    ("QAT, 8 bits", "qat", CompressOptions()),
    ("QAT, weights of 3 bits", "qat", CompressOptions(weight_bits=3)),
    ("QAT, weights of 2 bits", "qat", CompressOptions(weight_bits=2)),
    ("pruned by a quarter", "prune", CompressOptions(share=0.25)),
    ("pruned by half", "prune", CompressOptions(share=0.5)),
    ("half width, distilled", "distill", CompressOptions(width=0.5)),
    ("half width, features too", "distill", CompressOptions(width=0.5, features=0.1)),
    ("half width, no teacher", "scale", CompressOptions(width=0.5)),
    ("averaged by 2", "scale", CompressOptions(width=1.0, resolution=2)),
    ("16 clusters", "cluster", CompressOptions(clusters=16)),
)


def digits() -> Dataset:
    """Scikit-learn's digits, divided as examples/digits divides them."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images = (data.images / 16).astype(np.float32)[..., None]
    split = np.full(len(images), UNASSIGNED, np.int8)
    split[-TEST_SAMPLES:] = TEST
    names = tuple(map(str, range(10)))
    return make_dataset("digits", "image", images, data.target, names, split=split)


def rows_of(training: Path, work: Path, board: str) -> list[Row]:
    """A row for each way, int8 as it is deployed; a way's untrained model where it has one."""
    record = record_of(training)
    rows: list[Row] = []
    for number, (name, method, options) in enumerate(WAYS):
        print(f"... {name}", file=sys.stderr)
        settings = usual_settings(record, method)
        if method == "prune":
            settings = replace(settings, epochs=40, learning_rate=2e-3)
        done = tt.compress(
            training,
            method=method,
            output=work / str(number),
            options=options,
            settings=settings,
            board=board,
        )
        if not rows:
            rows += [one for one in done.rows if one.name.startswith("given")]
            rows.append(_int16(training, work, board))
        rows += [
            replace(one, name=f"{name}: {one.name}")
            for one in done.rows
            if one.name == "rounded, not trained"
        ]
        rows.append(replace(done.result, name=name))
    return rows


def _int16(training: Path, work: Path, board: str) -> Row:
    file = work / "int16x8.tflite"
    tt.quantize(training, scheme="int16x8", output=file)
    record = record_of(training)
    return measured_row(
        "given, int16x8", file, record, record.content["parameters"], load_board(board)
    )


def main() -> None:
    """Run everything and print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("training", type=Path, nargs="?")
    parser.add_argument("--board", default="qemu-m4")
    parser.add_argument("--work", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tinyml-compression-") as folder:
        work = given.work or Path(folder)
        training = given.training
        if training is None:
            training = work / "digits"
            tt.train(digits(), arch=ARCH, output=training, settings=SETTINGS, scaling="none")
        print(markdown_table("accuracy", rows_of(training, work, given.board)))


if __name__ == "__main__":
    main()
