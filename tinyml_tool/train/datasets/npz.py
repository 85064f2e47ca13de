"""A `.npz` of numpy: arrays `x` and `y`, or those of parts, with optional names."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.train.dataset import PARTS, TEST, TRAIN, VALIDATION, Dataset, Kind, make_dataset

_SAVE_AGAIN = "save it anew: np.savez(FILE, x=samples, y=labels)"
_PARTS = {"train": TRAIN, "validation": VALIDATION, "val": VALIDATION, "test": TEST}


def read_npz(path: Path) -> Dataset:
    """Read `x` (count, ...) and `y` (count,), or `x_train`, `y_train`, `x_test`, ...

    Optional: `classes` (names), `groups` (count,), `split` (count,: 0, 1, 2 or train, validation,
    test), `sample_rate`.  Labels are integers, or names.  Raises InputError.
    """
    arrays = _load(path)
    if "x" in arrays and "y" in arrays:
        return _dataset(path, arrays)
    found = [name for name in _PARTS if f"x_{name}" in arrays]
    if not found:
        raise InputError(
            f"{path}: has the arrays {', '.join(sorted(arrays)) or '(none)'}, but neither x and y "
            "nor x_train and y_train",
            hint=_SAVE_AGAIN,
        )
    for name in found:
        _check_pair(path, arrays, f"x_{name}", f"y_{name}")
    shapes = {arrays[f"x_{name}"].shape[1:] for name in found}
    if len(shapes) > 1:
        raise InputError(
            f"{path}: the parts have samples of different shapes: {sorted(shapes)}",
            hint="prepare all parts in the same way",
        )
    merged = {
        "x": np.concatenate([arrays[f"x_{name}"] for name in found]),
        "y": np.concatenate([arrays[f"y_{name}"] for name in found]),
        "split": np.concatenate([np.full(len(arrays[f"y_{n}"]), _PARTS[n]) for n in found]),
    }
    if all(f"groups_{name}" in arrays for name in found):
        merged["groups"] = np.concatenate([arrays[f"groups_{name}"] for name in found])
    return _dataset(path, {**arrays, **merged})


def _load(path: Path) -> dict[str, NDArray[Any]]:
    try:
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.ndarray):
            raise InputError(f"{path}: is a .npy, not a .npz of several arrays")
        with file:
            return dict(file.items())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "pickle" in reason.lower() or "object" in reason.lower():
            raise InputError(
                f"{path}: holds objects of Python, not only arrays of numbers and names",
                hint="save arrays of one shape: np.savez(FILE, x=samples, y=labels)",
            ) from None
        raise InputError(
            f"{path}: is no .npz file that can be read: {reason}", hint=_SAVE_AGAIN
        ) from None
    except (InputError, MemoryError):
        raise
    except Exception as error:  # zlib and struct errors of damaged files
        raise InputError(f"{path}: is damaged: {error}", hint=_SAVE_AGAIN) from None


def _check_pair(path: Path, arrays: Mapping[str, NDArray[Any]], x: str, y: str) -> None:
    for name in (x, y):
        if name not in arrays:
            raise InputError(f"{path}: the array '{name}' is missing", hint=_SAVE_AGAIN)
    if arrays[x].ndim < 2:
        raise InputError(
            f"{path}: '{x}' has shape {arrays[x].shape}, (count, ...) is needed",
            hint="the first axis counts samples: single numbers need a second axis of 1",
        )
    if arrays[y].ndim != 1 or len(arrays[y]) != len(arrays[x]):
        raise InputError(
            f"{path}: '{y}' has shape {arrays[y].shape}, ({len(arrays[x])},) is needed: one "
            f"label for each sample in '{x}'",
            hint="leave out samples without a label",
        )


def _dataset(path: Path, arrays: Mapping[str, NDArray[Any]]) -> Dataset:
    _check_pair(path, arrays, "x", "y")
    x = arrays["x"]
    labels, classes = class_labels(path, arrays["y"], arrays.get("classes"))
    rate = arrays.get("sample_rate")
    groups = arrays.get("groups")
    return make_dataset(
        str(path),
        _kind(x, rate is not None),
        x,
        labels,
        classes,
        groups=None if groups is None else np.unique(groups, return_inverse=True)[1],
        split=_split(path, arrays.get("split")),
        sample_rate=None if rate is None else int(rate.reshape(-1)[0]),
    )


def _kind(x: NDArray[Any], sound: bool) -> Kind:
    if x.ndim == 2:
        return "sound" if sound else "vector"
    return "series" if x.ndim == 3 else "image"


def class_labels(
    source: Path, y: NDArray[Any], names: NDArray[Any] | None = None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels as indices, and the names of the classes: `names`, or made of the labels.

    Raises InputError for labels that are neither integers nor names.
    """
    if y.dtype.kind in "US":
        found, indices = np.unique(y.astype(str), return_inverse=True)
        if names is None:
            return indices.astype(np.int64), tuple(found.tolist())
        known = tuple(str(name) for name in names)
        unknown = [name for name in found.tolist() if name not in known]
        if unknown:
            raise InputError(
                f"{source}: label '{unknown[0]}' is none of the classes",
                hint="name it in the array `classes`, or leave that out",
            )
        return np.array([known.index(name) for name in y.astype(str).tolist()], np.int64), known
    if y.dtype.kind == "f" and y.size and np.isfinite(y).all() and (y == np.rint(y)).all():
        y = y.astype(np.int64)
    if y.dtype.kind not in "biu":
        raise InputError(
            f"{source}: labels are {y.dtype}", hint="give class numbers from 0, or names"
        )
    labels = y.astype(np.int64)
    if labels.size and labels.min() < 0:
        raise InputError(f"{source}: label {labels.min()} is negative", hint="count from 0")
    if names is not None:
        return labels, tuple(str(name) for name in names)
    count = int(labels.max()) + 1 if labels.size else 0
    if count > max(1000, labels.size):
        raise InputError(f"{source}: label {count - 1} is no class number", hint="count from 0")
    return labels, tuple(str(number) for number in range(count))


def _split(path: Path, split: NDArray[Any] | None) -> NDArray[np.int8] | None:
    if split is None:
        return None
    if split.dtype.kind in "US":
        unknown = set(np.unique(split.astype(str)).tolist()) - set(_PARTS)
        if unknown:
            raise InputError(f"{path}: split '{sorted(unknown)[0]}' is none of {', '.join(PARTS)}")
        return np.array([_PARTS[name] for name in split.astype(str).tolist()], np.int8)
    if split.dtype.kind not in "iu" or not np.isin(split, (-1, 0, 1, 2)).all():
        raise InputError(f"{path}: 'split' must hold 0 (train), 1 (validation), 2 (test)")
    return split.astype(np.int8)
