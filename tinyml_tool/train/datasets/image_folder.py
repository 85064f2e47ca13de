"""A folder of pictures by class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError, ToolMissingError
from tinyml_tool.train.dataset import Dataset, make_dataset
from tinyml_tool.train.datasets.class_folders import list_class_folders

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".webp", ".tif", ".tiff")


def read_image_folder(
    folder: Path, size: tuple[int, int] | None = None, *, grey: bool = False
) -> Dataset:
    """Read all files as bytes (height, width, channels): 3 channels, or 1 with `grey`.

    With `size` (height, width) each is scaled to it; without, all must be equally large.  Raises
    InputError, naming the file, for what cannot be read or does not fit; ToolMissingError where
    Pillow is not installed.
    """
    listed = list_class_folders(folder, SUFFIXES)
    pictures = [_read(file.path, size, grey) for file in listed.files]
    for file, picture in zip(listed.files, pictures, strict=True):
        if picture.shape != pictures[0].shape:
            raise InputError(
                f"{file.path}: is {_size(picture)}, but {listed.files[0].path} is "
                f"{_size(pictures[0])} (height x width)",
                hint="give a size for all with --size HEIGHTxWIDTH",
            )
    return make_dataset(
        str(folder),
        "image",
        np.stack(pictures),
        listed.labels,
        listed.classes,
        split=listed.split,
    )


def _read(path: Path, size: tuple[int, int] | None, grey: bool) -> NDArray[np.uint8]:
    try:
        from PIL import Image
    except ImportError:
        raise ToolMissingError(
            "reading pictures needs the Python package 'pillow'",
            hint="install it: python -m pip install 'tinyml-tool[images]'",
        ) from None
    try:
        with Image.open(path) as image:
            _check_depth(path, image.mode)
            picture: Any = image.convert("L" if grey else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path}: is no picture that can be read: {error}", hint="replace or remove it"
        ) from None
    if size is not None and picture.size != (size[1], size[0]):
        picture = picture.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    pixels = np.asarray(picture, np.uint8)
    return pixels[:, :, None] if grey else pixels


def _check_depth(path: Path, mode: str) -> None:
    """Pillow cuts deeper pixels off at 255 instead of scaling them."""
    if mode.startswith(("I", "F")):
        raise InputError(
            f"{path}: has more than 8 bits a channel (mode {mode})",
            hint="convert it to 8 bits, or give the pixels as .npz",
        )


def _size(picture: NDArray[np.uint8]) -> str:
    return f"{picture.shape[0]}x{picture.shape[1]}"
