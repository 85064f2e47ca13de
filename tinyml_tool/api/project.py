"""A generated project that was read back: its manifest, its board and its model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyml_tool.api.model_source import ModelSource, load_project_model
from tinyml_tool.boards import Board
from tinyml_tool.config import FILE_NAME, read_config
from tinyml_tool.firmware.manifest import Manifest, read_manifest
from tinyml_tool.firmware.project_board import project_board


@dataclass(frozen=True, eq=False)
class Project:
    """A project on disk."""

    folder: Path
    manifest: Manifest
    board: Board
    source: ModelSource


def open_project(folder: str | Path) -> Project:
    """Read the generated project in `folder`.

    Raises InputError where there is none, InvalidModelError where its model is another one than
    the one it was generated from, UnknownBoardError or InputError for a board that is not known.
    """
    path = Path(folder)
    manifest = read_manifest(path)
    config = read_config(path / FILE_NAME).config
    source = load_project_model(path, config.project.model, manifest.model_sha256)
    return Project(path, manifest, project_board(path, manifest), source)
