"""Test vectors on disk: inputs and the reference's outputs, raw and little-endian."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.graph.types import Graph, Tensor

FOLDER = "test_vectors"


@dataclass(frozen=True, eq=False)
class GoldenVector:
    """One set of inputs, in the model's order, and what the reference answers to it."""

    name: str
    inputs: tuple[NDArray[Any], ...]
    outputs: tuple[NDArray[Any], ...]


def vector_files(graph: Graph, vectors: Sequence[GoldenVector]) -> dict[str, bytes]:
    """Relative path to content: one `.bin` a tensor, and `index.json` that tells them all.

    Raises ValueError where an array has not its tensor's type and shape.
    """
    inputs = [graph.tensors[index] for index in graph.inputs]
    outputs = [graph.tensors[index] for index in graph.outputs]
    files: dict[str, bytes] = {}
    entries = []
    for number, vector in enumerate(vectors):
        entry: dict[str, Any] = {"name": vector.name}
        for kind, tensors, arrays in (
            ("input", inputs, vector.inputs),
            ("output", outputs, vector.outputs),
        ):
            entry[kind + "s"] = []
            for position, (tensor, array) in enumerate(zip(tensors, arrays, strict=True)):
                file = f"{number:03d}-{kind}-{position}.bin"
                files[f"{FOLDER}/{file}"] = _raw(tensor, array)
                entry[kind + "s"].append(file)
        entries.append(entry)
    index = {
        "schema_version": 1,
        "byte_order": "little",
        "inputs": [_describe(tensor) for tensor in inputs],
        "outputs": [_describe(tensor) for tensor in outputs],
        "vectors": entries,
    }
    text = json.dumps(index, indent=2) + "\n"
    return {f"{FOLDER}/index.json": text.encode(), **files}


def _raw(tensor: Tensor, array: NDArray[Any]) -> bytes:
    if array.dtype != tensor.dtype.numpy or array.shape != tensor.shape:
        raise ValueError(f"{tensor}: test vector has type {array.dtype}, shape {array.shape}")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()


def _describe(tensor: Tensor) -> dict[str, Any]:
    quantization = tensor.quantization
    described: dict[str, Any] = {
        "name": tensor.name,
        "type": tensor.dtype.value,
        "shape": list(tensor.shape),
        "bytes": tensor.bytes,
    }
    if quantization is not None and not quantization.per_channel:
        described["scale"] = quantization.scale
        described["zero_point"] = quantization.zero_point
    return described
