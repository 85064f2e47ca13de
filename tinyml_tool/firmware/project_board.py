"""The board of a project: known by its id, or one of the user's that the project carries along."""

from __future__ import annotations

from pathlib import Path

from tinyml_tool.boards import Board, board_from_toml, board_to_toml, load_board, load_boards
from tinyml_tool.errors import InputError
from tinyml_tool.firmware.manifest import Manifest, sha256

FILE_NAME = "board.toml"


def board_files(board: Board) -> dict[str, str]:
    """Relative path to text: a copy of the board's file, where its id alone does not tell it."""
    return {} if load_boards().get(board.id) == board else {FILE_NAME: board_to_toml(board)}


def project_board(project: Path, manifest: Manifest) -> Board:
    """The board that the project in `project` was generated for.

    Raises UnknownBoardError for an id that is not known here, and InputError where the copy of
    the board's file is missing or is not the one that the manifest has the hash of.
    """
    name = manifest.board_file
    if name is None:
        return load_board(manifest.board)
    path = project / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path}: the project's copy of its board file cannot be read: {error.strerror}",
            hint="generate the project again with `tinyml generate`",
        ) from None
    if sha256(content) != manifest.files.get(name):
        raise InputError(
            f"{path}: was changed since the project was generated from it",
            hint="change your own board file, and generate the project again from that",
        )
    return board_from_toml(content.decode(), str(path))
