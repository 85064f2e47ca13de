"""Finds out which form a data set has, and reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tinyml_tool.errors import InputError
from tinyml_tool.train.dataset import Dataset
from tinyml_tool.train.datasets import image_folder, wav_folder
from tinyml_tool.train.datasets.csv_windows import CsvLayout, read_csv
from tinyml_tool.train.datasets.npz import read_npz
from tinyml_tool.train.datasets.ts import read_ts


@dataclass(frozen=True)
class ReadOptions:
    """What some forms need to be told."""

    seconds: float | None = None
    """Length of each sound."""
    size: tuple[int, int] | None = None
    """Height and width of each picture."""
    grey: bool = False
    csv: CsvLayout = field(default_factory=CsvLayout)


def read_dataset(path: Path, options: ReadOptions | None = None) -> Dataset:
    """Read a folder of WAV files or pictures by class, a `.npz`, a `.csv` or a `.ts`.

    Raises InputError that names the file that is wrong, and what to do.
    """
    options = options or ReadOptions()
    if path.is_dir():
        try:
            return _read_folder(path, options)
        except OSError as error:
            raise InputError(
                f"{error.filename or path}: cannot be read: {error.strerror}"
            ) from None
    if not path.exists():
        raise InputError(f"{path}: does not exist", hint="name a data set: a folder or a file")
    match path.suffix.lower():
        case ".npz":
            return read_npz(path)
        case ".csv":
            return read_csv(path, options.csv)
        case ".ts":
            return read_ts(path)
    raise InputError(
        f"{path}: is no form of data set that is known",
        hint="give a folder of .wav files or pictures by class, a .npz, a .csv or a .ts",
    )


def _read_folder(folder: Path, options: ReadOptions) -> Dataset:
    endings = {path.suffix.lower() for path in folder.rglob("*") if path.is_file()}
    sounds = endings & set(wav_folder.SUFFIXES)
    pictures = endings & set(image_folder.SUFFIXES)
    if sounds and pictures:
        raise InputError(f"{folder}: holds sounds and pictures", hint="keep them apart")
    if sounds:
        return wav_folder.read_wav_folder(folder, options.seconds)
    if pictures:
        return image_folder.read_image_folder(folder, options.size, grey=options.grey)
    raise InputError(
        f"{folder}: holds neither .wav files nor pictures",
        hint="put the files of each class into a folder of its own, named after the class",
    )
