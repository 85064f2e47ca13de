"""A whole firmware project as a plain value: relative path to content."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tinyml_tool.boards import Board, emulated_boards
from tinyml_tool.compiler.describe import describe
from tinyml_tool.compiler.footprint import arena_region, footprint_estimate, stack_bytes
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.tflm_plan import AnyPlan, TflmPlan
from tinyml_tool.compiler.tflm_release import ESP_IDF_COMPONENT
from tinyml_tool.config import MlperfBenchmark
from tinyml_tool.errors import InputError
from tinyml_tool.firmware.answer_files import answer_files
from tinyml_tool.firmware.arduino_files import arduino_files
from tinyml_tool.firmware.atomic import write_project
from tinyml_tool.firmware.build_flags import qemu_command
from tinyml_tool.firmware.cmake_files import cmake_files
from tinyml_tool.firmware.features_files import features_files
from tinyml_tool.firmware.link_config import (
    LINK_CONFIG_HEADER,
    link_config_header,
    link_payload_bytes,
)
from tinyml_tool.firmware.manifest import FILE_NAME as MANIFEST
from tinyml_tool.firmware.manifest import Manifest, build_id, sha256
from tinyml_tool.firmware.mlperf_files import mlperf_files
from tinyml_tool.firmware.model_sources import model_sources
from tinyml_tool.firmware.platformio_files import platformio_files
from tinyml_tool.firmware.port_sources import PORT_FOLDER, RENODE_PORT_FOLDER, port_sources
from tinyml_tool.firmware.project_board import FILE_NAME as BOARD_FILE
from tinyml_tool.firmware.project_board import board_files
from tinyml_tool.firmware.protocol_header import PROTOCOL_HEADER, protocol_header
from tinyml_tool.firmware.renode_files import renode_files
from tinyml_tool.firmware.source_files import source_files
from tinyml_tool.firmware.static_buffers import buffer_bytes
from tinyml_tool.firmware.templates import render, source
from tinyml_tool.firmware.tflm_core import tflm_core_name
from tinyml_tool.firmware.tflm_sources import tflm_sources
from tinyml_tool.firmware.vectors import GoldenVector, vector_files
from tinyml_tool.graph.measure import macs
from tinyml_tool.graph.types import Tensor
from tinyml_tool.preprocess.answer_plan import AnswerPlan
from tinyml_tool.preprocess.plan import FeaturePlan
from tinyml_tool.preprocess.source_plan import SourcePlan
from tinyml_tool.preprocess.spec_toml import answer_toml, features_toml, source_toml
from tinyml_tool.resources import data_folder
from tinyml_tool.version import VERSION

__all__ = ["project_files", "write_project"]


def project_files(
    plan: AnyPlan,
    board: Board,
    *,
    name: str,
    vectors: Sequence[GoldenVector] = (),
    model: bytes | None = None,
    mlperf: MlperfBenchmark | None = None,
    tflm: Mapping[str, str] = MappingProxyType({}),
    features: FeaturePlan | None = None,
    answer: AnswerPlan | None = None,
    sensor: SourcePlan | None = None,
) -> dict[str, bytes]:
    """All files of the firmware project of `plan` for `board`, relative path to content.

    The same arguments give the same bytes.  With `model`, the content of the `.tflite`, the
    project carries it along.  The project of a real board also has all that its emulated stand-in
    needs.  With `mlperf`, the firmware also answers MLPerf Tiny's runner.  `tflm` is what is known
    of the TFLM it will be built with, for the manifest.  With `features`, the firmware makes the
    model's input of raw samples, which `sensor` reads, with `answer` it tells what the scores say.
    Raises InputError for a name that cannot be used, and a model that is none for that benchmark.
    """
    _check_name(name)
    graph = plan.graph
    more_ram = buffer_bytes(mlperf, features, answer, sensor)
    emulated, *second = emulated_boards(board)
    names = {"name": name, "model_name": _cell(graph.name)}
    release = plan.release if isinstance(plan, TflmPlan) else None
    texts = {
        **_application(),
        **_model(plan, board, more_ram),
        **_link(),
        **mlperf_files(graph, mlperf),
        **(features_files(features) if features is not None else {}),
        **(answer_files(answer) if answer is not None else {}),
        **(source_files(sensor) if sensor is not None else {}),
        **_port(emulated, plan.engine, PORT_FOLDER),
        **(_port(second[0], plan.engine, RENODE_PORT_FOLDER) if second else {}),
        **arduino_files(board),
        **platformio_files(board, **names, release=release, libraries=_sensor_libraries(sensor)),
        **cmake_files(board, **names, release=release),
        **board_files(board),
        **_renode(board, name=name, model_hash=graph.model_hash),
        ".gitignore": source("project/gitignore"),
        ".clang-format": source("project/clang-format"),
        "lib/.clang-format": "DisableFormat: true  # generated code\n",
        "README.md": _readme(
            plan,
            board,
            name=name,
            mlperf=mlperf,
            features=features,
            answer=answer,
            sensor=sensor,
        ),
        "tinyml.toml": _settings(
            plan,
            board,
            name=name,
            mlperf=mlperf,
            features=features,
            answer=answer,
            sensor=sensor,
        ),
    }
    files = {path: text.encode() for path, text in texts.items()}
    files |= vector_files(graph, vectors)
    if model is not None:
        files[_model_file(plan)] = model
    identity = build_id(files, board.id)
    files[f"lib/link/{LINK_CONFIG_HEADER}"] = link_config_header(
        board=board.id,
        emulated_as=board.emulated_as,
        renode_as=board.renode_as,
        emulated=emulated.is_emulated,
        build_id=identity,
        tool_version=VERSION,
        payload_bytes=link_payload_bytes(
            min(b.memory.ram.size for b in (board, emulated, *second))
        ),
        mlperf=mlperf is not None,
        features=features is not None,
        answer=answer is not None,
        source=sensor is not None,
    ).encode()
    rewriting = plan.rewriting if isinstance(plan, Plan) else None
    manifest = Manifest(
        name=name,
        model_name=graph.name,
        model_sha256=graph.model_hash,
        board=board.id,
        engine=plan.engine,
        arena_bytes=plan.arena_bytes,
        build_id=identity,
        files={path: sha256(content) for path, content in files.items()},
        board_file=BOARD_FILE if BOARD_FILE in files else None,
        optimize=plan.optimize,
        bodies=_bodies(plan) if isinstance(plan, Plan) else None,
        tflm=_tflm_facts(plan, board, tflm) if isinstance(plan, TflmPlan) else None,
        passes=list(rewriting.passes) if rewriting else None,
        graph=rewriting.fingerprint if rewriting else None,
        features=_feature_facts(features) if features is not None else None,
        answer=_answer_facts(answer) if answer is not None else None,
    )
    files[MANIFEST] = manifest.to_json().encode()
    return dict(sorted(files.items()))


def _sensor_libraries(sensor: SourcePlan | None) -> tuple[str, ...]:
    """What PlatformIO must fetch for the real board's sensor beside the framework."""
    return (sensor.library,) if sensor is not None and sensor.library is not None else ()


def _bodies(plan: Plan) -> dict[str, str] | None:
    return {str(layer): body for layer, body in plan.bodies} or None


def _tflm_facts(plan: TflmPlan, board: Board, known: Mapping[str, str]) -> dict[str, str]:
    source = "the directory of TINYML_TFLM_DIR"
    arena = "given" if plan.arena_given else "measured, with a margin"
    facts = {"emulator": source, "board": plan.release.package or source, "arena": arena}
    if board.platformio.platform == "espressif32":
        facts["esp_idf"] = " ".join(ESP_IDF_COMPONENT)
    return {**facts, **known}


def _feature_facts(features: FeaturePlan) -> dict[str, str | int]:
    return {
        "sha256": features.hash,
        "about": features.comment,
        "ram_bytes": features.ram_bytes,
        "constant_bytes": features.constant_bytes,
    }


def _answer_facts(answer: AnswerPlan) -> dict[str, str | int]:
    return {"sha256": answer.hash, "about": answer.about, "ram_bytes": answer.ram_bytes}


def _check_name(name: str) -> None:
    if not name or not name.isprintable() or set(name) & set("/\\\"'`$;{}"):
        raise InputError(
            f"'{name}' cannot be the name of a project", hint="use letters, digits, '-' and '_'"
        )


def _model(plan: AnyPlan, board: Board, more_ram: int) -> dict[str, str]:
    """`lib/model/` and what else the engine of `plan` needs."""
    if isinstance(plan, TflmPlan):
        return tflm_sources(plan, board, more_ram)
    return model_sources(plan, board, more_ram)


def _model_file(plan: AnyPlan) -> str:
    name = "".join(c if c.isprintable() and c != "/" else "_" for c in plan.graph.name)
    return f"{name}.tflite"


def _sources(template_folder: str, place: str) -> dict[str, str]:
    """The C files of a folder of `firmware_templates/`."""
    folder = data_folder("firmware_templates") / template_folder
    names = sorted(path.name for path in folder.iterdir() if path.suffix in (".c", ".h"))
    return {f"{place}/{name}": source(f"{template_folder}/{name}") for name in names}


def _application() -> dict[str, str]:
    return {**_sources("app", "src"), "minimal/minimal.c": source("project/minimal.c")}


def _link() -> dict[str, str]:
    return {**_sources("link", "lib/link"), f"lib/link/{PROTOCOL_HEADER}": protocol_header()}


def _renode(board: Board, *, name: str, model_hash: str) -> dict[str, str]:
    """The files below `renode/` of every board that Renode runs for `board`."""
    files: dict[str, str] = {}
    for emulated in emulated_boards(board):
        files |= renode_files(emulated, name=name, model_hash=model_hash)
    return files


def _port(board: Board, engine: str, folder: str) -> dict[str, str]:
    """`lib/<folder>/`: the port of an emulated board."""
    files = {}
    for name in port_sources(board):
        if name.endswith(".j2"):
            text = render(f"port/{name}", board=board, stack_bytes=stack_bytes(board, engine))
        else:
            text = source(f"port/{name}")
        files[f"lib/{folder}/{name.removesuffix('.j2')}"] = text
    return files


def _settings(
    plan: AnyPlan,
    board: Board,
    *,
    name: str,
    mlperf: MlperfBenchmark | None,
    features: FeaturePlan | None,
    answer: AnswerPlan | None,
    sensor: SourcePlan | None,
) -> str:
    return render(
        "project/tinyml.toml.j2",
        model_hash=plan.graph.model_hash,
        model_file=_toml(_model_file(plan)),
        name=_toml(name),
        board=_toml(BOARD_FILE if board_files(board) else board.id),
        engine=_toml(plan.engine),
        optimize=_toml(plan.optimize) if plan.optimize else None,
        mlperf=_toml(mlperf) if mlperf else None,
        arena_bytes=plan.arena_bytes if isinstance(plan, TflmPlan) and plan.arena_given else None,
        passes=_passes(plan),
        features=features_toml(features.spec) if features is not None else None,
        answer=answer_toml(answer.spec) if answer is not None else None,
        source=source_toml(sensor.spec) if sensor is not None else None,
    )


def _passes(plan: AnyPlan) -> str | None:
    """The passes as a TOML list, where not all of them ran."""
    rewriting = plan.rewriting if isinstance(plan, Plan) else None
    if rewriting is None or len(rewriting.passes) == len(rewriting.records):
        return None
    return f"[{', '.join(map(_toml, rewriting.passes))}]"


def _toml(text: str) -> str:
    """Printable text as a TOML string: JSON writes such text the same way."""
    return json.dumps(text, ensure_ascii=False)


def _readme(
    plan: AnyPlan,
    board: Board,
    *,
    name: str,
    mlperf: MlperfBenchmark | None,
    features: FeaturePlan | None,
    answer: AnswerPlan | None,
    sensor: SourcePlan | None,
) -> str:
    graph = plan.graph
    tensors = graph.tensors
    emulated, *second = emulated_boards(board)
    layers: list[dict[str, Any]] = [
        {
            "index": operator.index,
            "comment": _cell(describe(operator, graph)),
            "output": ", ".join(tensors[t].dtype.value for t in operator.outputs),
            "bytes": f"{sum(tensors[t].bytes for t in operator.outputs):,}",
        }
        for operator in graph.operators
    ]
    return render(
        "project/README.md.j2",
        name=name,
        model_name=_cell(graph.name),
        model_hash=graph.model_hash,
        engine=plan.engine,
        tool_version=VERSION,
        board=board,
        emulated=emulated,
        second=second[0] if second else None,
        renode=next((b for b in (emulated, *second) if b.renode), None),
        inputs=[_describe(tensors[t]) for t in graph.inputs],
        outputs=[_describe(tensors[t]) for t in graph.outputs],
        macs=sum(macs(operator, graph) for operator in graph.operators),
        constant_bytes=footprint_estimate(plan).constant_bytes,
        arena_bytes=plan.arena_bytes,
        arena_given=isinstance(plan, TflmPlan) and plan.arena_given,
        arena_region=arena_region(plan, board, buffer_bytes(mlperf, features, answer, sensor)),
        stack_bytes=stack_bytes(emulated, plan.engine),
        qemu_command=qemu_command(emulated),
        mlperf=mlperf,
        features=features,
        answer=answer,
        sensor=sensor,
        layers=layers,
        tflm=isinstance(plan, TflmPlan),
        tflm_core=tflm_core_name(emulated.core),
        tflm_package=plan.release.package if isinstance(plan, TflmPlan) else None,
    )


def _describe(tensor: Tensor) -> str:
    shape = "x".join(map(str, tensor.shape)) or "scalar"
    text = f"`{_cell(tensor.name)}`: {tensor.dtype.value} {shape}, {tensor.bytes:,} bytes"
    quantization = tensor.quantization
    if quantization is not None and not quantization.per_channel:
        text += f", scale {quantization.scale:.9g}, zero point {quantization.zero_point}"
    return text


def _cell(text: str) -> str:
    """Text for one line or one cell of a Markdown table, that cannot end it or the code in it."""
    return "".join(c if c.isprintable() and c not in "|`<" else "?" for c in text)
