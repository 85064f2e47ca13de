"""Files sorted into folders: one folder a class, and above them, if wanted, one a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.train.dataset import PARTS, UNASSIGNED

_PART_NAMES = {name: number for number, name in enumerate(PARTS)} | {
    "training": 0,
    "val": 1,
    "valid": 1,
    "testing": 2,
}


@dataclass(frozen=True)
class LabelledFile:
    """A file, its class and the part its place assigns it to."""

    path: Path
    label: int
    part: int


@dataclass(frozen=True)
class ClassFolders:
    """All files, in order of part, class and name, and the names of the classes."""

    files: tuple[LabelledFile, ...]
    classes: tuple[str, ...]

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class of each file."""
        return np.array([file.label for file in self.files], np.int64)

    @property
    def split(self) -> NDArray[np.int8] | None:
        """The part of each file, where the folders say so."""
        parts = np.array([file.part for file in self.files], np.int8)
        return None if (parts == UNASSIGNED).all() else parts


def list_class_folders(folder: Path, suffixes: Sequence[str]) -> ClassFolders:
    """List files with one of `suffixes` in `CLASS/` or `train/CLASS/`, `test/CLASS/`.

    Hidden folders and those whose name begins with an underscore are left out; so are folders
    without such files.  Raises InputError where there is no class, or files lie outside.
    """
    found: list[tuple[Path, str, int]] = []
    for place, part in _class_parents(folder):
        stray = [path for path in sorted(place.iterdir()) if _wanted(path, suffixes)]
        if stray:
            raise InputError(
                f"{stray[0]}: lies outside of a class's folder",
                hint=f"move it into {place}/CLASS/",
            )
        for group in _folders(place):
            found += [
                (path, group.name, part)
                for path in sorted(group.rglob("*"))
                if _wanted(path, suffixes)
            ]
    if not found:
        raise InputError(
            f"{folder}: has no folders with files {', '.join(suffixes)}",
            hint="put the files of each class into a folder of its own, named after the class",
        )
    classes = tuple(sorted({name for _, name, _ in found}))
    files = [LabelledFile(path, classes.index(name), part) for path, name, part in found]
    return ClassFolders(tuple(files), classes)


def _class_parents(folder: Path) -> list[tuple[Path, int]]:
    inner = _folders(folder)
    if inner and all(path.name.lower() in _PART_NAMES for path in inner):
        return [(path, _PART_NAMES[path.name.lower()]) for path in inner]
    return [(folder, UNASSIGNED)]


def _folders(folder: Path) -> list[Path]:
    return [p for p in sorted(folder.iterdir()) if p.is_dir() and p.name[0] not in "._"]


def _wanted(path: Path, suffixes: Sequence[str]) -> bool:
    return path.suffix.lower() in suffixes and path.is_file() and path.name[0] != "."
