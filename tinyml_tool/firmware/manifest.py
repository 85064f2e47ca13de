"""`manifest.json`: what a project was generated from, and the hash of every file in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyml_tool.errors import InputError
from tinyml_tool.version import VERSION

FILE_NAME = "manifest.json"
SCHEMA_VERSION = 1

_BUILD_INPUTS = (
    "src/",
    "lib/",
    "minimal/",
    "platforms/",
    "cmake/",
    "CMakeLists.txt",
    "platformio.ini",
)


@dataclass(frozen=True)
class Manifest:
    """The facts of a generated project.  `files` maps relative paths to SHA-256."""

    name: str
    model_name: str
    model_sha256: str
    board: str
    engine: str
    arena_bytes: int
    build_id: str
    files: dict[str, str]
    board_file: str | None = None
    """Of a board that is not known by its id: the copy of its file in the project."""
    optimize: str | None = None
    """Of engine aot: the preset its kernels were chosen by."""
    bodies: dict[str, str] | None = None
    """Of engine aot, tuned: by layer, the simpler core's kernel that was measured to be better."""
    tflm: dict[str, str] | None = None
    """Of engine tflm: where TFLM comes from, and what it was when the project was generated."""
    passes: list[str] | None = None
    """Of engine aot: the graph passes that ran; None where the model was compiled as it is."""
    graph: str | None = None
    """Of engine aot: fingerprint of the graph that they left."""
    features: dict[str, str | int] | None = None
    """Of a firmware with preprocessing: hash of the spec, what it is, static RAM, tables."""
    answer: dict[str, str | int] | None = None
    """Of a firmware that tells what outputs say: hash of the spec, what it is, static RAM."""
    tool_version: str = VERSION
    schema_version: int = SCHEMA_VERSION

    @property
    def features_ram_bytes(self) -> int | None:
        """Static RAM of the preprocessing; None where there is none."""
        return None if self.features is None else int(self.features["ram_bytes"])

    @property
    def answer_ram_bytes(self) -> int | None:
        """Static RAM of the answers; None where there are none."""
        return None if self.answer is None else int(self.answer["ram_bytes"])

    def to_json(self) -> str:
        """The text of the file: keys in the order of the fields, paths sorted."""
        values = asdict(self)
        values["files"] = dict(sorted(self.files.items()))
        ordered = {"schema_version": values.pop("schema_version"), **values}
        return json.dumps(ordered, indent=2) + "\n"


def sha256(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def build_id(files: Mapping[str, bytes], board: str) -> str:
    """A name for what the firmware is built from: the first 16 digits of a SHA-256.

    Covers every file that reaches the compiler or tells it what to do, the board and the tool's
    version; neither documents nor test vectors change it.
    """
    digest = hashlib.sha256(f"{VERSION}\n{board}\n".encode())
    for path in sorted(files):
        if path.startswith(_BUILD_INPUTS):
            digest.update(f"{path} {sha256(files[path])}\n".encode())
    return digest.hexdigest()[:16]


def read_manifest(project: Path) -> Manifest:
    """The manifest of the project in `project`.  Raises InputError where there is none of ours."""
    path = project / FILE_NAME
    try:
        values = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(
            f"{project}: not a generated project (it has no {FILE_NAME})",
            hint="make one with `tinyml generate MODEL --board ID --output DIRECTORY`",
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise _not_ours(path, "it is not JSON") from None
    if not isinstance(values, dict) or "schema_version" not in values:
        raise _not_ours(path, "it has no schema_version")
    if values["schema_version"] != SCHEMA_VERSION:
        raise _not_ours(path, f"schema_version {values['schema_version']} is not known here")
    return _checked(path, values)


def _checked(path: Path, values: dict[str, Any]) -> Manifest:
    texts = ("name", "model_name", "model_sha256", "board", "engine", "build_id", "tool_version")
    for key in texts:
        if not isinstance(values.get(key), str):
            raise _not_ours(path, f"'{key}' is missing or not a text")
    arena, files = values.get("arena_bytes"), values.get("files")
    if not isinstance(arena, int) or isinstance(arena, bool) or arena < 0:
        raise _not_ours(path, "'arena_bytes' is missing or not a number")
    if not isinstance(files, dict) or not all(isinstance(hash_, str) for hash_ in files.values()):
        raise _not_ours(path, "'files' is missing or not a table of hashes")
    optimize = values.get("optimize")
    if optimize is not None and not isinstance(optimize, str):
        raise _not_ours(path, "'optimize' is not a text")
    bodies = values.get("bodies")
    if bodies is not None and not (
        isinstance(bodies, dict) and all(layer.isdigit() for layer in bodies)
    ):
        raise _not_ours(path, "'bodies' is not a table of layers")
    tflm = values.get("tflm")
    if tflm is not None and not isinstance(tflm, dict):
        raise _not_ours(path, "'tflm' is not a table")
    board_file = values.get("board_file")
    if board_file is not None and board_file not in files:
        raise _not_ours(path, "'board_file' is not one of its files")
    passes, graph = values.get("passes"), values.get("graph")
    if passes is not None and not (
        isinstance(passes, list) and all(isinstance(name, str) for name in passes)
    ):
        raise _not_ours(path, "'passes' is not a list of names")
    if graph is not None and not isinstance(graph, str):
        raise _not_ours(path, "'graph' is not a text")
    return Manifest(
        **{key: values[key] for key in texts},
        arena_bytes=arena,
        files=files,
        board_file=board_file,
        optimize=optimize,
        bodies=bodies,
        tflm=tflm,
        passes=passes,
        graph=graph,
        features=_facts(path, "features", values.get("features"), _FEATURE_FACTS),
        answer=_facts(path, "answer", values.get("answer"), _ANSWER_FACTS),
    )


_ANSWER_FACTS: dict[str, type] = {"sha256": str, "about": str, "ram_bytes": int}
_FEATURE_FACTS = {**_ANSWER_FACTS, "constant_bytes": int}


def _facts(
    path: Path, key: str, facts: object, wanted: Mapping[str, type]
) -> dict[str, str | int] | None:
    if facts is None:
        return None
    if not isinstance(facts, dict) or any(
        not isinstance(facts.get(name), kind) for name, kind in wanted.items()
    ):
        raise _not_ours(path, f"'{key}' does not tell its hash and sizes")
    return {name: facts[name] for name in wanted}


def _not_ours(path: Path, cause: str) -> InputError:
    return InputError(
        f"{path}: not a manifest of tinyml-tool: {cause}",
        hint="generate the project again with `tinyml generate`",
    )
