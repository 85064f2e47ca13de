"""A small model as a generated project: what tests of projects and builds start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from model_builder import ModelBuilder

from tinyml_tool.boards import Board, load_board
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.target import Target
from tinyml_tool.firmware.project import project_files, write_project
from tinyml_tool.firmware.vectors import GoldenVector
from tinyml_tool.graph.reader import parse_model


def small_model(inputs: int = 8, outputs: int = 4, *, weight: int = 3) -> bytes:
    """One fully connected layer, int8, whose weights all are `weight`."""
    builder = ModelBuilder()
    x = builder.input("int8", (1, inputs), scale=0.5, zero_point=1, name="x")
    weights = builder.constant(np.full((outputs, inputs), weight, np.int8), scale=0.25)
    bias = builder.constant(np.zeros(outputs, np.int32), scale=0.125)
    y = builder.tensor("int8", (1, outputs), scale=2.0, zero_point=0, name="y")
    builder.operator("FULLY_CONNECTED", [x, weights, bias], y)
    return builder.build([y])


def small_plan(board: str = "qemu-m4", model: bytes | None = None) -> Plan:
    return compile_graph(
        parse_model(model or small_model(), "small"), Target(load_board(board).core)
    )


def small_vector() -> GoldenVector:
    ones = np.ones((1, 8), np.int8)
    return GoldenVector("ones", (ones,), (np.zeros((1, 4), np.int8),))


def small_files(board: str = "qemu-m4", model: bytes | None = None) -> dict[str, bytes]:
    return project_files(
        small_plan(board, model),
        load_board(board),
        name="small",
        vectors=[small_vector()],
        model=model or small_model(),
    )


def small_project(directory: Path, board: str = "qemu-m4") -> tuple[Path, Board]:
    """Write the project of the small model to `directory`."""
    write_project(directory, small_files(board))
    return directory, load_board(board)
