"""Inputs that a user gives as files: numpy arrays, raw bytes, sounds, pictures."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError, UnsupportedModelError
from tinyml_tool.graph.types import DType, Graph, Tensor
from tinyml_tool.verify.conversion import fit_values, layout
from tinyml_tool.verify.image_file import IMAGE_SUFFIXES, read_image
from tinyml_tool.verify.inputs import Vector
from tinyml_tool.verify.wav_file import read_wav

FORMATS = (".npy", ".npz", ".bin", ".raw", ".wav", *IMAGE_SUFFIXES)
"""File name endings that `load_inputs` reads."""


def load_inputs(path: str | Path, graph: Graph) -> list[Vector]:
    """Read the inferences' inputs that a file holds; several where the file holds a batch.

    - `.npy`: one array for a model of one input; of the input's shape, without its leading 1, or
      with a batch size instead of that 1.  Values of the input's type, other integers within its
      range, or real numbers, which are quantized as the model says.
    - `.npz`: the same for each input: arrays named like the inputs, or `arr_0`, `arr_1`, ...
    - `.bin`, `.raw`: the inputs' bytes, one after the other, little-endian; one inference or more.
    - `.wav`: 8 or 16 bits, mono, exactly as many samples as the input has values.
    - pictures: exactly as large as the input; grey or RGB after its number of channels.

    Raises InputError, which tells what was expected and what was found, for a file that is absent,
    damaged, or does not fit; ToolMissingError where reading pictures needs Pillow.
    """
    path = Path(path)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path.name}: '{path.suffix}' is no known kind of input file",
            hint=f"known are {', '.join(FORMATS)}",
        )
    try:
        if path.stat().st_size == 0:
            raise InputError(f"{path.name} is empty")
        return reader(path, graph)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror or error}") from None


_NPZ_ERRORS = (
    *(ValueError, EOFError, KeyError, OverflowError, MemoryError, NotImplementedError),
    zipfile.BadZipFile,
    zlib.error,
    TypeError,  # what opening a bare .npy file as an archive ends in
)


def _read_npy(path: Path, graph: Graph) -> list[Vector]:
    tensor = _only_input(path, graph, "give a .npz with one array for each")
    try:
        # Mapped, not loaded: a header that promises more than the file holds is refused.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, OverflowError) as error:
        raise InputError(f"{path.name} is no array of numbers: {error}") from None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path.name} is an archive of arrays", hint="name it .npz")
    return [[values] for values in _batch(path.name, array, tensor)]


def _read_npz(path: Path, graph: Graph) -> list[Vector]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = _named(path.name, {name: archive[name] for name in archive.files}, graph)
    except _NPZ_ERRORS as error:
        raise InputError(f"{path.name} is no archive of numpy arrays: {error}") from None
    columns = [_batch(path.name, *pair) for pair in zip(arrays, _inputs(graph), strict=True)]
    counts = {len(column) for column in columns}
    if len(counts) > 1:
        raise InputError(f"{path.name}: the inputs' batches differ: {sorted(counts)}")
    return [list(vector) for vector in zip(*columns, strict=True)]


def _named(name: str, arrays: dict[str, NDArray[Any]], graph: Graph) -> list[NDArray[Any]]:
    tensors = _inputs(graph)
    for keys in ([t.name for t in tensors], [f"arr_{i}" for i in range(len(tensors))]):
        if sorted(keys) == sorted(arrays):
            return [arrays[key] for key in keys]
    expected = ", ".join(f"'{t.name}' {layout(t)}" for t in tensors)
    raise InputError(
        f"{name} holds {', '.join(map(repr, sorted(arrays))) or 'no array'}, "
        f"but the model's inputs are {expected}"
    )


def _read_raw(path: Path, graph: Graph) -> list[Vector]:
    tensors = _inputs(graph)
    one = sum(tensor.bytes for tensor in tensors)
    data = path.read_bytes()
    if len(data) % one != 0:
        inputs = " + ".join(f"{tensor.bytes} for {layout(tensor)}" for tensor in tensors)
        raise InputError(
            f"{path.name} has {len(data)} bytes, expected {one} ({inputs}), or a multiple of it"
        )
    return [
        _split(path.name, data[start : start + one], tensors) for start in range(0, len(data), one)
    ]


def _split(name: str, data: bytes, tensors: list[Tensor]) -> Vector:
    vector: Vector = []
    for tensor in tensors:
        little_endian = tensor.dtype.numpy.newbyteorder("<")
        values = np.frombuffer(data[: tensor.bytes], little_endian).reshape(tensor.shape)
        vector.append(fit_values(name, values, tensor))
        data = data[tensor.bytes :]
    return vector


def _read_wav(path: Path, graph: Graph) -> list[Vector]:
    tensor = _only_input(path, graph, "give a .npz with one array for each")
    return [[read_wav(path, tensor)]]


def _read_image(path: Path, graph: Graph) -> list[Vector]:
    tensor = _only_input(path, graph, "give a .npz with one array for each")
    return [[read_image(path, tensor)]]


_READERS: dict[str, Callable[[Path, Graph], list[Vector]]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".bin": _read_raw,
    ".raw": _read_raw,
    ".wav": _read_wav,
    **dict.fromkeys(IMAGE_SUFFIXES, _read_image),
}


def _inputs(graph: Graph) -> list[Tensor]:
    tensors = [graph.tensor(index) for index in graph.inputs]
    for tensor in tensors:
        if tensor.dtype in (DType.INT4, DType.STRING, DType.OTHER):
            raise UnsupportedModelError(
                f"{graph.name}: input '{tensor.name}' is {tensor.dtype.value}, "
                "which no input file can hold"
            )
    return tensors


def _only_input(path: Path, graph: Graph, hint: str) -> Tensor:
    tensors = _inputs(graph)
    if len(tensors) != 1:
        raise InputError(
            f"{path.name} holds one input, but {graph.name} has {len(tensors)}", hint=hint
        )
    return tensors[0]


def _batch(name: str, array: NDArray[Any], tensor: Tensor) -> list[NDArray[Any]]:
    """Cut an array into one of the tensor's shape for each inference."""
    shape = tensor.shape
    if array.shape in (shape, shape[1:] if shape[:1] == (1,) else shape):
        return [fit_values(name, array.reshape(shape), tensor)]
    if shape[:1] == (1,) and array.shape[1:] == shape[1:] and len(array) > 0:
        return [fit_values(name, values.reshape(shape), tensor) for values in array]
    found = "x".join(map(str, array.shape)) or "a single number"
    raise InputError(f"{name} has shape {found}, expected {layout(tensor)}, or a batch of it")
