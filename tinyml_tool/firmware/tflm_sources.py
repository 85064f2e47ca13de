"""The C++ sources of a model that TFLM interprets: `lib/model/`, behind the same `model.h`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyml_tool.boards import Board
from tinyml_tool.compiler.footprint import arena_region
from tinyml_tool.compiler.tflm_plan import TflmPlan
from tinyml_tool.compiler.tflm_release import ESP_IDF_COMPONENT
from tinyml_tool.firmware.templates import render, source
from tinyml_tool.firmware.tensor_view import tensor_view
from tinyml_tool.graph.types import Graph

_ARENA_MEASURED = (
    "What TFLM needed on a 64-bit computer, and a margin; see model_arena_used() for the truth."
)
_ARENA_GIVEN = "As it was asked for with --arena or tflm.arena_bytes; see model_arena_used()."


def tflm_sources(plan: TflmPlan, board: Board, more_ram: int = 0) -> dict[str, str]:
    """Relative path to text of `lib/model/*`: interface, interpreter, and the `.tflite` as data.

    For an ESP32 the folder is also a component of ESP-IDF.  `more_ram` are bytes of buffers.
    """
    graph = plan.graph
    values: dict[str, Any] = {
        "name": graph.name,
        "model_hash": graph.model_hash,
        "engine": plan.engine,
        "arena_bytes": plan.arena_bytes,
        "arena_region": arena_region(plan, board, more_ram),
        "board_id": board.id,
        "arena_comment": _ARENA_GIVEN if plan.arena_given else _ARENA_MEASURED,
        "inputs": [tensor_view(graph.tensors[t], "nullptr") for t in graph.inputs],
        "outputs": [tensor_view(graph.tensors[t], "nullptr") for t in graph.outputs],
        "layer_count": len(graph.operators),
        "layers": _layers(graph),
        "registrations": plan.registrations,
        "headers": sorted({r.header for r in plan.registrations if r.header is not None}),
        "model": np.frombuffer(plan.model, np.uint8),
        "model_bytes": len(plan.model),
    }
    folder = "runtime/tflm"
    return {
        "lib/model/model.h": render("runtime/model.h.j2", **values),
        "lib/model/model_tflm.cpp": render(f"{folder}/model_tflm.cpp.j2", **values),
        "lib/model/model_data.h": render(f"{folder}/model_data.h.j2", **values),
        "lib/model/model_data.cc": render(f"{folder}/model_data.cc.j2", **values),
        "lib/model/tflm_message.h": source(f"{folder}/tflm_message.h"),
        "lib/model/tflm_message.cpp": source(f"{folder}/tflm_message.cpp"),
        **_idf_component(board),
    }


def _idf_component(board: Board) -> dict[str, str]:
    if board.platformio.platform != "espressif32":
        return {}
    folder = "runtime/tflm/esp_idf"
    component, version = ESP_IDF_COMPONENT
    return {
        "lib/model/CMakeLists.txt": source(f"{folder}/CMakeLists.txt"),
        "lib/model/idf_component.yml": render(
            f"{folder}/idf_component.yml.j2", component=component, version=version
        ),
    }


def _layers(graph: Graph) -> list[dict[str, Any]]:
    return [
        {
            "index": operator.index,
            "kind": operator.kind,
            "outputs": [{"index": t, "bytes": graph.tensors[t].bytes} for t in operator.outputs],
        }
        for operator in graph.operators
    ]
