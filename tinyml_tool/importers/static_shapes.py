"""Batch 1 and fixed lengths everywhere; what computed shapes becomes constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from tinyml_tool.errors import UnsupportedModelError
from tinyml_tool.graph.model_objects import new_constant, pack
from tinyml_tool.importers.constants import numpy_type
from tinyml_tool.importers.wiring import Wiring
from tinyml_tool.reference.litert import LitertReference

_MOST_CONSTANT_VALUES = 4096
"""Computed constants larger than this stay computed: they would cost flash."""


def fix_shapes(model: schema.ModelT, name: str, given: Sequence[Sequence[int]] = ()) -> list[str]:
    """Give every input a batch of 1 and every tensor its length; the changes.

    `given` are shapes for the inputs, in their order, where the file leaves lengths open.  Raises
    UnsupportedModelError that lists every length that nobody knows.
    """
    wiring = Wiring(model)
    changed = _fix_inputs(wiring, name, given)
    open_shapes = changed or any(
        tensor.shapeSignature is not None and -1 in list(tensor.shapeSignature)
        for tensor in wiring.graph.tensors
    )
    for tensor in wiring.graph.tensors:
        tensor.shapeSignature = None
    if not open_shapes and not any(_computes_shape(wiring, op) for op in wiring.operators):
        return []
    values = _values(wiring, name)
    for index, array in values.items():
        wiring.set_shape(index, array.shape)
    folded = _fold(wiring, values)
    notes = [f"fixed the shape of input '{wiring.graph.tensors[i].name.decode()}'" for i in changed]
    return notes + ([f"turned {folded} shape computations into constants"] if folded else [])


def _fix_inputs(wiring: Wiring, name: str, given: Sequence[Sequence[int]]) -> list[int]:
    inputs = [int(index) for index in wiring.graph.inputs]
    if given and len(given) != len(inputs):
        raise UnsupportedModelError(
            f"{name} has {len(inputs)} inputs, {len(given)} shapes were given",
            hint="give a shape for each input, in their order",
        )
    unknown, changed = [], []
    for place, index in enumerate(inputs):
        tensor = wiring.graph.tensors[index]
        shape = list(wiring.shape(index))
        stored = tensor.shapeSignature
        signature = [int(length) for length in stored] if stored is not None else shape
        wanted = list(given[place]) if given else [1 if n == -1 else n for n in signature]
        # The first of several axes counts samples, and one at a time is computed.
        if not given and len(wanted) > 1 and (signature[0] == -1 or len(wanted) >= 4):
            wanted[0] = 1
        if not given:
            unknown += [
                f"input {place} ('{tensor.name.decode()}'): axis {axis} has no fixed length"
                for axis, length in enumerate(signature)
                if axis > 0 and length == -1
            ]
        if wanted != shape or -1 in signature:
            wiring.set_shape(index, wanted)
            changed.append(index)
    if unknown:
        raise UnsupportedModelError(
            f"{name} has no static shapes: {unknown[0]}",
            hint="give the shape of each input: `tinyml import MODEL --shape 1,49,10,1 -o FIXED`",
            details=unknown,
        )
    return changed


def _values(wiring: Wiring, name: str) -> dict[int, NDArray[Any]]:
    """Every operator's outputs for an input of zeros, whose shapes are those of any input."""
    reference = LitertReference(pack(wiring.model), name)
    zeros = [
        np.zeros(wiring.shape(int(index)), numpy_type(wiring.graph.tensors[int(index)]))
        for index in wiring.graph.inputs
    ]
    return reference.run_layers(zeros)


def _computes_shape(wiring: Wiring, operator: schema.OperatorT) -> bool:
    return wiring.kind(operator) in ("SHAPE", "RANK")


def _fold(wiring: Wiring, values: dict[int, NDArray[Any]]) -> int:
    """Replace operators whose result is the same for any input by that result."""
    kept, folded = [], 0
    for operator in wiring.operators:
        fixed = _computes_shape(wiring, operator) or all(
            int(index) < 0 or wiring.constant(int(index)) is not None for index in operator.inputs
        )
        outputs = [int(index) for index in operator.outputs]
        small = all(values[index].size <= _MOST_CONSTANT_VALUES for index in outputs)
        leaves = any(wiring.is_output(index) for index in outputs)
        if not fixed or not small or leaves or not len(operator.inputs):
            kept.append(operator)
            continue
        for index in outputs:
            wiring.graph.tensors[index].buffer = new_constant(wiring.model, values[index])
        folded += 1
    wiring.graph.operators = kept
    return folded
