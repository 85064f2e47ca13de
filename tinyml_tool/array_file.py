"""Reads arrays of numbers from a user's `.npz` or `.npy`, trusting nothing in it."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyml_tool.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_BYTES = 4 << 30
"""Unpacked bytes of a `.npz`: more are taken for an attack or an accident."""

LABEL_NAMES = ("y", "labels", "label", "targets")
"""Names that an array of labels may have."""
INPUT_NAMES = ("x", "inputs", "input", "data", "samples", "arr_0")
"""Names that the array of samples may have, beside the name of the model's input."""

_DAMAGED = (
    *(ValueError, EOFError, KeyError, OverflowError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, TypeError, SyntaxError, RuntimeError),
)


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a `.npz` by name, or that of a `.npy` as `x`.

    Nothing is unpickled.  Raises InputError for a file that is absent, damaged, or absurdly large.
    """
    import numpy as np

    try:
        if path.suffix.lower() == ".npy":
            loaded = np.load(path, mmap_mode="r", allow_pickle=False)
            if not isinstance(loaded, np.ndarray):
                raise InputError(f"{path.name} is an archive of arrays", hint="name it .npz")
            return {"x": loaded}
        if path.suffix.lower() != ".npz":
            raise InputError(
                f"{path}: '{path.suffix}' is no kind of file that samples are read from",
                hint="give a .npz with the samples as `x` and, for accuracy, the labels as `y`",
            )
        return _load_archive(path)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file", hint="check the path") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except _DAMAGED as error:
        raise InputError(
            f"{path.name} holds no arrays of numbers: {error}",
            hint="save it anew: np.savez(FILE, x=samples, y=labels)",
        ) from None


def _load_archive(path: Path) -> dict[str, NDArray[Any]]:
    import numpy as np

    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > MAX_BYTES:
        raise InputError(
            f"{path.name} holds {unpacked:,} bytes of arrays, at most {MAX_BYTES:,} are read",
            hint="give fewer samples: some hundreds are enough",
        )
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
