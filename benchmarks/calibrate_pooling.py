"""Measures AVERAGE_POOL_2D with and without DSP instructions, and prints the cost model's table.

    python benchmarks/calibrate_pooling.py

The lines it prints belong into `tinyml_tool/compiler/pooling_costs.py`: instructions for four
channels of one output, as a base and what each element of the window adds, fitted to measurements
of square and oblong windows in the emulators.
"""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path

import numpy as np

import tinyml_tool as tt
from tinyml_tool.api.engines import EngineOptions
from tinyml_tool.api.generate import compile_for, write_generated
from tinyml_tool.api.model_source import load_model
from tinyml_tool.boards import load_board

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from model_builder import ModelBuilder

BOARDS = ("qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55")
WINDOWS = ((1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (4, 4), (5, 5), (25, 5))
CHANNELS = 16
OUTPUTS = 4


def poolings() -> bytes:
    """One model: each window at four places of an image of 16 channels."""
    builder = ModelBuilder()
    affine = {"scale": 0.5, "zero_point": 0}
    outputs = []
    for height, width in WINDOWS:
        source = builder.input("int8", (1, height, OUTPUTS * width, CHANNELS), **affine)
        target = builder.tensor("int8", (1, 1, OUTPUTS, CHANNELS), **affine)
        outputs.append(
            builder.operator(
                "AVERAGE_POOL_2D",
                [source],
                target,
                padding="VALID",
                stride_h=height,
                stride_w=width,
                filter_height=height,
                filter_width=width,
            )
        )
    return builder.build(outputs)


def line_of(model: Path, board: str, bodies: tuple[tuple[int, str], ...]) -> tuple[float, float]:
    """Base and slope of the instructions over the window's elements."""
    chosen, source = load_board(board), load_model(model)
    plan = compile_for(source, chosen, options=EngineOptions(bodies=bodies))
    with tempfile.TemporaryDirectory() as folder:
        project = write_generated(source, plan, board=chosen, output=Path(folder) / "p").project
        layers = tt.profile(project, system="cmake").layers
    taps = [math.prod(window) for window in WINDOWS]
    blocks = OUTPUTS * CHANNELS / 4
    counts = [(layer.instructions or 0) / blocks for layer in layers]
    # Weighted so that small windows, where the choice turns, are met as closely as large ones.
    slope, base = np.polyfit(taps, counts, 1, w=1 / np.array(counts))
    print(f"# {board} {bodies and bodies[0][1]}: {[round(count, 1) for count in counts]}")
    return float(base), float(slope)


def main() -> None:
    """Measure and print."""
    plain = tuple((layer, "armv7-m") for layer in range(len(WINDOWS)))
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "poolings.tflite"
        model.write_bytes(poolings())
        for board in BOARDS:
            fours, ones = line_of(model, board, ()), line_of(model, board, plain)
            core = load_board(board).core.name
            print(
                f'    "{core}": PoolingCosts(fours=Line({fours[0]:.1f}, {fours[1]:.1f}), '
                f"ones=Line({ones[0]:.1f}, {ones[1]:.1f})),",
                flush=True,
            )


if __name__ == "__main__":
    main()
