"""Projects that read a source, and what their firmware says while it does."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from model_builder import ModelBuilder

from tinyml_tool.boards import load_board
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.target import Target
from tinyml_tool.devices.inference_line import ReportedInference, parse_inference_line
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.devices.text_lines import TextLines
from tinyml_tool.firmware.project import project_files
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.preprocess.model_plan import plan_for_model
from tinyml_tool.preprocess.source_plan import SourcePlan, plan_source
from tinyml_tool.preprocess.source_spec import parse_source
from tinyml_tool.preprocess.spec import FeatureSpec, parse_features

AUDIO = {"preset": "kws"}
MICRO_AUDIO = {"preset": "micro_speech"}
PICTURE = {
    **{"kind": "image", "source_width": 160, "source_height": 120},
    **{"width": 16, "height": 12},
}
RAW_MOTION = {
    **{"kind": "series", "sample": "int16", "channels": 6, "scale": 0.0005},
    **{"rate": 104, "window": 16, "stride": 16},
}
MOTION = {**RAW_MOTION, "sample": "float32", "scale": 1.0}


def features_of(table: dict[str, Any], **changed: object) -> FeatureSpec:
    return parse_features({**table, **changed}, "[features]")


def relu_model(spec: FeatureSpec) -> bytes:
    """A model of one layer whose input the features make."""
    builder = ModelBuilder()
    shape = (1, *spec.shape)
    x = builder.input("int8", shape, scale=0.0625, zero_point=-7, name="features")
    y = builder.tensor("int8", shape, scale=0.0625, zero_point=-7, name="y")
    builder.operator("RELU", [x], y)
    return builder.build([y])


def plan_of(source: dict[str, Any], features: FeatureSpec, board: str) -> SourcePlan:
    """The source of a model with these features on a board."""
    graph = parse_model(relu_model(features), "case")
    spec = parse_source(source, "[source]")
    return plan_source(spec, plan_for_model(features, graph), load_board(board))


def source_project(
    source: dict[str, Any] | None, features: FeatureSpec, board: str
) -> dict[str, bytes]:
    """The files of a project with a model of these features, read from `source`."""
    model = relu_model(features)
    graph = parse_model(model, "case")
    chosen = load_board(board)
    plan = plan_for_model(features, graph)
    return project_files(
        compile_graph(graph, Target(chosen.core)),
        chosen,
        name="case",
        model=model,
        features=plan,
        sensor=plan_of(source, features, board) if source is not None else None,
    )


def lines_until(elf: Path, board: str, last: str, directory: Path) -> list[str]:
    """What the firmware prints in the emulator until a line has `last` in it."""
    lines: list[str] = []
    text = TextLines()
    with QemuDevice(load_board(board), elf, directory=directory, time_limit=60) as device:
        deadline = time.monotonic() + 50
        while not any(last in line for line in lines):
            assert time.monotonic() < deadline, lines[-5:]
            lines += text.feed(device.stream.read(4096, 5))
    return lines


def inferences(lines: list[str]) -> list[ReportedInference]:
    """The reports among the lines; every one must be whole."""
    found = [parse_inference_line(line) for line in lines]
    reports = [report for report in found if report is not None]
    assert all(isinstance(report, ReportedInference) for report in reports)
    return [report for report in reports if isinstance(report, ReportedInference)]
