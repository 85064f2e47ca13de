"""Firmware for the benchmarks, around small models that have the benchmarks' tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from model_builder import ModelBuilder
from project_case import small_plan

from tinyml_tool.boards import load_board
from tinyml_tool.config import MlperfBenchmark
from tinyml_tool.firmware.mlperf_files import BENCHMARKS
from tinyml_tool.firmware.project import project_files, write_project


def dense_model(inputs: int, outputs: int, *, kind: str = "int8") -> bytes:
    """One fully connected layer with random weights: every input is in every output.

    Its outputs spread over all of int8.
    """
    builder = ModelBuilder()
    x = builder.input(kind, (1, inputs), scale=0.5, zero_point=-3, name="x")
    random = np.random.default_rng(inputs)
    weights = builder.constant(random.integers(-127, 128, (outputs, inputs), np.int8), scale=0.25)
    bias = builder.constant(np.zeros(outputs, np.int32), scale=0.125)
    scale = 0.125 * 74 * 74 * inputs**0.5 / 60  # the deviation of a sum is 60 steps
    y = builder.tensor(kind, (1, outputs), scale=scale, zero_point=5, name="y")
    builder.operator("FULLY_CONNECTED", [x, weights, bias], y)
    return builder.build([y])


def model_for(benchmark: MlperfBenchmark) -> bytes:
    """A small model that fits the benchmark."""
    wanted = BENCHMARKS[benchmark]
    return dense_model(wanted.inputs, wanted.outputs)


def write_mlperf_project(directory: Path, benchmark: MlperfBenchmark) -> Path:
    """A project for the benchmark, without test vectors."""
    plan = small_plan(model=model_for(benchmark))
    board = load_board("qemu-m4")
    write_project(directory, project_files(plan, board, name="small", mlperf=benchmark))
    return directory
