"""A whole firmware project as a plain value: relative path to content."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tinyml_tool.boards import Board
from tinyml_tool.compiler.footprint import footprint_estimate, stack_bytes
from tinyml_tool.compiler.plan import Plan
from tinyml_tool.errors import InputError
from tinyml_tool.firmware.atomic import write_project
from tinyml_tool.firmware.build_flags import qemu_command
from tinyml_tool.firmware.cmake_files import cmake_files
from tinyml_tool.firmware.link_config import (
    LINK_CONFIG_HEADER,
    link_config_header,
    link_payload_bytes,
)
from tinyml_tool.firmware.manifest import FILE_NAME as MANIFEST
from tinyml_tool.firmware.manifest import Manifest, build_id, sha256
from tinyml_tool.firmware.model_sources import model_sources
from tinyml_tool.firmware.platformio_files import platformio_files
from tinyml_tool.firmware.port_sources import port_sources
from tinyml_tool.firmware.protocol_header import PROTOCOL_HEADER, protocol_header
from tinyml_tool.firmware.renode_files import renode_files
from tinyml_tool.firmware.templates import render, source
from tinyml_tool.firmware.vectors import GoldenVector, vector_files
from tinyml_tool.graph.measure import macs
from tinyml_tool.graph.types import Tensor
from tinyml_tool.resources import data_folder
from tinyml_tool.version import VERSION

__all__ = ["ENGINES", "project_files", "write_project"]

ENGINES = ("aot",)


def project_files(
    plan: Plan,
    board: Board,
    *,
    name: str,
    engine: str = "aot",
    vectors: Sequence[GoldenVector] = (),
    model: bytes | None = None,
) -> dict[str, bytes]:
    """All files of the firmware project of `plan` for `board`, relative path to content.

    The same arguments give the same bytes.  With `model`, the content of the `.tflite`, the
    project carries it along.  Raises InputError for an engine or a name that cannot be used.
    """
    _check_names(name, engine)
    graph = plan.graph
    texts = {
        **_application(),
        **model_sources(plan),
        **_link(),
        **_port(board),
        **platformio_files(board, name=name, model_name=_cell(graph.name)),
        **cmake_files(board, name=name, model_name=_cell(graph.name)),
        **renode_files(board, name=name, model_hash=graph.model_hash),
        ".gitignore": source("project/gitignore"),
        ".clang-format": source("project/clang-format"),
        "lib/.clang-format": "DisableFormat: true  # generated code\n",
        "README.md": _readme(plan, board, name=name, engine=engine),
        "tinyml.toml": _settings(plan, board, name=name, engine=engine),
    }
    files = {path: text.encode() for path, text in texts.items()}
    files |= vector_files(graph, vectors)
    if model is not None:
        files[_model_file(plan)] = model
    identity = build_id(files, board.id)
    files[f"lib/link/{LINK_CONFIG_HEADER}"] = link_config_header(
        board=board.id,
        build_id=identity,
        tool_version=VERSION,
        payload_bytes=link_payload_bytes(board.memory.ram.size),
    ).encode()
    manifest = Manifest(
        name=name,
        model_name=graph.name,
        model_sha256=graph.model_hash,
        board=board.id,
        engine=engine,
        arena_bytes=plan.memory.arena_bytes,
        build_id=identity,
        files={path: sha256(content) for path, content in files.items()},
    )
    files[MANIFEST] = manifest.to_json().encode()
    return dict(sorted(files.items()))


def _check_names(name: str, engine: str) -> None:
    if engine not in ENGINES:
        raise InputError(
            f"engine '{engine}' cannot generate a project", hint=f"use {' or '.join(ENGINES)}"
        )
    if not name or not name.isprintable() or set(name) & set("/\\\"'`$;{}"):
        raise InputError(
            f"'{name}' cannot be the name of a project", hint="use letters, digits, '-' and '_'"
        )


def _model_file(plan: Plan) -> str:
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


def _port(board: Board) -> dict[str, str]:
    files = {}
    for name in port_sources(board):
        if name.endswith(".j2"):
            text = render(f"port/{name}", board=board, stack_bytes=stack_bytes(board))
        else:
            text = source(f"port/{name}")
        files[f"lib/port/{name.removesuffix('.j2')}"] = text
    return files


def _settings(plan: Plan, board: Board, *, name: str, engine: str) -> str:
    return render(
        "project/tinyml.toml.j2",
        model_hash=plan.graph.model_hash,
        model_file=_toml(_model_file(plan)),
        name=_toml(name),
        board=_toml(board.id),
        engine=_toml(engine),
    )


def _toml(text: str) -> str:
    """Printable text as a TOML string: JSON writes such text the same way."""
    return json.dumps(text, ensure_ascii=False)


def _readme(plan: Plan, board: Board, *, name: str, engine: str) -> str:
    graph = plan.graph
    tensors = graph.tensors
    layers: list[dict[str, Any]] = [
        {
            "index": layer.operator.index,
            "comment": _cell(layer.comment),
            "output": ", ".join(tensors[t].dtype.value for t in layer.operator.outputs),
            "bytes": f"{sum(tensors[t].bytes for t in layer.operator.outputs):,}",
        }
        for layer in plan.layers
    ]
    return render(
        "project/README.md.j2",
        name=name,
        model_name=_cell(graph.name),
        model_hash=graph.model_hash,
        engine=engine,
        tool_version=VERSION,
        board=board,
        inputs=[_describe(tensors[t]) for t in graph.inputs],
        outputs=[_describe(tensors[t]) for t in graph.outputs],
        macs=sum(macs(operator, graph) for operator in graph.operators),
        constant_bytes=footprint_estimate(plan).constant_bytes,
        arena_bytes=plan.memory.arena_bytes,
        stack_bytes=stack_bytes(board),
        qemu_command=qemu_command(board),
        layers=layers,
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
