"""Removes transposes that only serve another framework's layout.

PyTorch and ONNX keep channels first; TensorFlow Lite's kernels want them last.  Converters put a
TRANSPOSE wherever the two meet.  Each rule below is exact: it moves a TRANSPOSE past an operator,
or merges it into constants, until it meets its inverse, the input, or something it cannot pass.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyml_tool.importers.wiring import Wiring, compose

_UNARY = frozenset(
    (
        *("RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "LOGISTIC", "TANH", "HARD_SWISH"),
        *("ELU", "ABS", "NEG", "SQRT", "RSQRT", "SQUARE", "EXP"),
    )
)
_BINARY = frozenset(("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM"))
_MAX_STEPS = 10_000


def remove_transposes(model: schema.ModelT, *, inputs: bool) -> list[str]:
    """Apply the rules as long as one applies, with `inputs` also to the layout of inputs.

    Returns the changes.
    """
    rules = (*_RULES, _at_input, _near_input) if inputs else _RULES
    before = _count(model)
    for _ in range(_MAX_STEPS):
        if not any(rule(Wiring(model)) for rule in rules):
            break
    removed = before - _count(model)
    return [f"removed {removed} of {before} layout transposes"] if removed else []


def _count(model: schema.ModelT) -> int:
    wiring = Wiring(model)
    return sum(wiring.kind(operator) == "TRANSPOSE" for operator in wiring.operators)


def _drop_identity(wiring: Wiring) -> bool:
    for operator in wiring.operators:
        order = wiring.permutation(operator)
        if order is None or order != tuple(range(len(order))):
            continue
        source, output = int(operator.inputs[0]), int(operator.outputs[0])
        if wiring.is_output(output) and wiring.is_input(source):
            continue
        _bypass(wiring, operator, source, output)
        return True
    return False


def _bypass(wiring: Wiring, operator: schema.OperatorT, source: int, output: int) -> None:
    wiring.drop(operator)
    writer = wiring.writer(source)
    if wiring.is_output(output) and writer is not None and not wiring.is_output(source):
        # An output keeps its name.
        writer.outputs = [output if index == source else int(index) for index in writer.outputs]
        for reader in wiring.readers(source):
            reader.inputs = [output if index == source else int(index) for index in reader.inputs]
    else:
        wiring.redirect(output, source)


def _as_reshape(wiring: Wiring) -> bool:
    """A TRANSPOSE that moves only axes of length 1 is a RESHAPE."""
    for operator in wiring.operators:
        order = wiring.permutation(operator)
        if order is None:
            continue
        shape = wiring.shape(int(operator.inputs[0]))
        long_axes = [axis for axis in order if shape[axis] != 1]
        if long_axes != sorted(long_axes):
            continue
        _make_reshape(wiring, operator, wiring.shape(int(operator.outputs[0])))
        return True
    return False


def _make_reshape(wiring: Wiring, operator: schema.OperatorT, shape: tuple[int, ...]) -> None:
    target = wiring.add_constant(np.array(shape, np.int32))
    operator.inputs = [int(operator.inputs[0]), target]
    operator.opcodeIndex = operator_code(wiring.model, schema.BuiltinOperator.RESHAPE)
    options = schema.ReshapeOptionsT()
    options.newShape = list(shape)
    operator.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
    operator.builtinOptions = options


def operator_code(model: schema.ModelT, kind: int) -> int:
    """The place of an operator kind in the file's list, added where it is missing."""
    for place, code in enumerate(model.operatorCodes):
        if code.builtinCode == kind:
            return place
    code = schema.OperatorCodeT()
    code.builtinCode = kind
    code.deprecatedBuiltinCode = min(kind, 127)
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _merge_pair(wiring: Wiring) -> bool:
    """TRANSPOSE after TRANSPOSE is one TRANSPOSE; so is RESHAPE after RESHAPE."""
    for operator in wiring.operators:
        previous = wiring.writer(int(operator.inputs[0])) if len(operator.inputs) else None
        if previous is None:
            continue
        second, first = wiring.permutation(operator), wiring.permutation(previous)
        if first is not None and second is not None:
            order = np.array(compose(first, second), np.int32)
            operator.inputs = [
                int(previous.inputs[0]),
                wiring.add_constant(order),
            ]
        elif wiring.kind(operator) == "RESHAPE" == wiring.kind(previous):
            operator.inputs = [int(previous.inputs[0]), *map(int, operator.inputs[1:])]
        else:
            continue
        _drop_unread(wiring, previous)
        return True
    return False


def _drop_unread(wiring: Wiring, operator: schema.OperatorT) -> None:
    outputs = [int(index) for index in operator.outputs]
    if not any(wiring.readers(index) or wiring.is_output(index) for index in outputs):
        wiring.drop(operator)


def _drop_same_shape(wiring: Wiring) -> bool:
    """A RESHAPE to the shape that is there already."""
    for operator in wiring.operators:
        if wiring.kind(operator) != "RESHAPE":
            continue
        source, output = int(operator.inputs[0]), int(operator.outputs[0])
        if wiring.shape(source) != wiring.shape(output):
            continue
        if wiring.is_output(output) and (wiring.is_input(source) or wiring.is_output(source)):
            continue
        _bypass(wiring, operator, source, output)
        return True
    return False


def _at_input(wiring: Wiring) -> bool:
    """A layout change that is all that reads an input moves out of the model."""
    for place, tensor in enumerate(wiring.graph.inputs):
        readers = wiring.readers(int(tensor))
        if len(readers) != 1 or wiring.is_output(int(tensor)):
            continue
        (operator,) = readers
        output = int(operator.outputs[0])
        if wiring.is_output(output) or not _changes_layout(wiring, operator):
            continue
        wiring.drop(operator)
        entering, inner = wiring.graph.tensors[int(tensor)], wiring.graph.tensors[output]
        inner.name, entering.name = entering.name, inner.name
        wiring.graph.inputs[place] = output
        return True
    return False


def _near_input(wiring: Wiring) -> bool:
    """A TRANSPOSE that only padding, activations and constants part from an input, too."""
    for tensor in wiring.graph.inputs:
        chain: list[schema.OperatorT] = []
        current = int(tensor)
        while len(readers := wiring.readers(current)) == 1 and not wiring.is_output(current):
            (operator,) = readers
            order = wiring.permutation(operator)
            if order is not None and chain and order[0] == 0:
                _move_before(wiring, int(tensor), chain, operator, order)
                return True
            if not _is_elementwise(wiring, operator, current):
                break
            chain.append(operator)
            current = int(operator.outputs[0])
    return False


def _is_elementwise(wiring: Wiring, operator: schema.OperatorT, source: int) -> bool:
    """Whether it does the same in any layout, once its constants are transposed."""
    kind = wiring.kind(operator)
    if kind in ("PAD", "PADV2"):
        return wiring.constant(int(operator.inputs[1])) is not None
    if kind in _BINARY:
        constants = [wiring.constant(index) for index in operator.inputs if index != source]
        return len(constants) == 1 and constants[0] is not None
    return kind in _UNARY


def _move_before(
    wiring: Wiring,
    tensor: int,
    chain: list[schema.OperatorT],
    transpose: schema.OperatorT,
    order: tuple[int, ...],
) -> None:
    current = tensor
    for operator in chain:
        for place, index in enumerate(operator.inputs):
            values = wiring.constant(index)
            if index == current or values is None:
                continue
            if wiring.kind(operator) in _BINARY:
                full = values.reshape((1,) * (len(order) - values.ndim) + values.shape)
                operator.inputs[place] = wiring.add_constant(np.transpose(full, order))
            elif place == 1:
                operator.inputs[place] = wiring.add_constant(values[list(order)])
        current = int(operator.outputs[0])
    for index in (tensor, *(int(operator.outputs[0]) for operator in chain)):
        shape = wiring.shape(index)
        wiring.set_shape(index, [shape[axis] for axis in order])
    chain[-1].outputs = [int(transpose.outputs[0])]
    wiring.drop(transpose)


def _changes_layout(wiring: Wiring, operator: schema.OperatorT) -> bool:
    if wiring.permutation(operator) is not None:
        return wiring.permutation(operator)[:1] == (0,)  # type: ignore[index]
    if wiring.kind(operator) != "RESHAPE":
        return False
    before, after = wiring.shape(int(operator.inputs[0])), wiring.shape(int(operator.outputs[0]))
    same_values = [n for n in before if n != 1] == [n for n in after if n != 1]
    return before[:1] == after[:1] == (1,) and len(before) == len(after) >= 3 and same_values


def _past_unary(wiring: Wiring) -> bool:
    for transpose, operator, order in _followed(wiring):
        if wiring.kind(operator) not in _UNARY:
            continue
        _swap(wiring, transpose, operator, order)
        return True
    return False


def _past_pad(wiring: Wiring) -> bool:
    for transpose, operator, order in _followed(wiring):
        paddings = wiring.constant(int(operator.inputs[1])) if len(operator.inputs) > 1 else None
        if wiring.kind(operator) not in ("PAD", "PADV2") or paddings is None:
            continue
        moved = np.empty_like(paddings)
        moved[list(order)] = paddings
        operator.inputs[1] = wiring.add_constant(moved)
        _swap(wiring, transpose, operator, order)
        return True
    return False


def _past_binary(wiring: Wiring) -> bool:
    """Both inputs transposed alike, or the other one a constant."""
    for transpose, operator, order in _followed(wiring):
        if wiring.kind(operator) not in _BINARY:
            continue
        place = [int(index) for index in operator.inputs].index(int(transpose.outputs[0]))
        other = int(operator.inputs[1 - place])
        values = wiring.constant(other)
        partner = None if values is not None else wiring.writer(other)
        if values is not None:
            if values.ndim > len(order):
                continue
            full = values.reshape((1,) * (len(order) - values.ndim) + values.shape)
            back = np.transpose(full, np.argsort(order))
            operator.inputs[1 - place] = wiring.add_constant(back)
        elif partner is not None and wiring.permutation(partner) == order:
            if other != int(transpose.outputs[0]) and not _only_read_by(wiring, other, operator):
                continue
            operator.inputs[1 - place] = int(partner.inputs[0])
            if partner is not transpose:
                wiring.drop(partner)
        else:
            continue
        _swap(wiring, transpose, operator, order)
        return True
    return False


def _past_concatenation(wiring: Wiring) -> bool:
    for operator in wiring.operators:
        if wiring.kind(operator) != "CONCATENATION":
            continue
        sources = [int(index) for index in operator.inputs]
        writers = [wiring.writer(index) for index in sources]
        orders = {None if op is None else wiring.permutation(op) for op in writers}
        order = next(iter(orders))
        if len(orders) != 1 or order is None:
            continue
        if not all(_only_read_by(wiring, index, operator) for index in sources):
            continue
        axis = operator.builtinOptions.axis % len(order)
        operator.builtinOptions.axis = order[axis]
        first, *others = [op for op in dict.fromkeys(writers) if op is not None]
        operator.inputs = [int(op.inputs[0]) for op in writers if op is not None]
        for other in others:
            wiring.drop(other)
        _after(wiring, first, operator, order)
        return True
    return False


def _past_mean(wiring: Wiring) -> bool:
    """A mean over axes does not care for the order, if those that stay keep theirs."""
    for transpose, operator, order in _followed(wiring):
        kind = wiring.kind(operator)
        if kind not in ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"):
            continue
        axes = wiring.constant(int(operator.inputs[1]))
        if axes is None:
            continue
        reduced = {int(axis) % len(order) for axis in np.reshape(axes, -1)}
        moved = sorted(order[axis] for axis in reduced)
        new_axes = np.array(moved, axes.dtype).reshape(axes.shape)
        if operator.builtinOptions.keepDims:
            operator.inputs[1] = wiring.add_constant(new_axes)
            _swap(wiring, transpose, operator, order)
            return True
        kept = [order[axis] for axis in range(len(order)) if axis not in reduced]
        if kept != sorted(kept):
            continue
        operator.inputs = [
            int(transpose.inputs[0]),
            wiring.add_constant(new_axes),
        ]
        wiring.drop(transpose)
        return True
    return False


def _into_dense(wiring: Wiring) -> bool:
    """TRANSPOSE, flattening RESHAPE, FULLY_CONNECTED: reorder the weights' columns instead."""
    for transpose, reshape, order in _followed(wiring):
        if wiring.kind(reshape) != "RESHAPE":
            continue
        shape = wiring.shape(int(transpose.inputs[0]))
        flat = int(reshape.outputs[0])
        readers = wiring.readers(flat)
        if order[0] != 0 or shape[0] != 1 or wiring.is_output(flat) or len(readers) != 1:
            continue
        (dense,) = readers
        weights = wiring.constant(int(dense.inputs[1])) if len(dense.inputs) > 1 else None
        is_dense = wiring.kind(dense) == "FULLY_CONNECTED" and int(dense.inputs[0]) == flat
        if not is_dense or weights is None or weights.shape[1] != int(np.prod(shape)):
            continue
        moved_shape = [shape[axis] for axis in order[1:]]
        back = np.argsort([axis - 1 for axis in order[1:]])
        grid = weights.reshape(weights.shape[0], *moved_shape)
        columns = np.transpose(grid, (0, *(back + 1))).reshape(weights.shape)
        dense.inputs[1] = wiring.add_constant(columns)
        reshape.inputs[0] = int(transpose.inputs[0])
        wiring.drop(transpose)
        return True
    return False


def _followed(
    wiring: Wiring,
) -> list[tuple[schema.OperatorT, schema.OperatorT, tuple[int, ...]]]:
    """Every TRANSPOSE whose output only one operator reads: it, that one, its permutation."""
    found = []
    for operator in wiring.operators:
        order = wiring.permutation(operator)
        output = int(operator.outputs[0])
        if order is None or wiring.is_output(output):
            continue
        readers = wiring.readers(output)
        if len(readers) == 1:
            found.append((operator, readers[0], order))
    return found


def _only_read_by(wiring: Wiring, tensor: int, operator: schema.OperatorT) -> bool:
    readers = wiring.readers(tensor)
    return len(readers) == 1 and readers[0] is operator and not wiring.is_output(tensor)


def _swap(
    wiring: Wiring,
    transpose: schema.OperatorT,
    operator: schema.OperatorT,
    order: tuple[int, ...],
) -> None:
    """Let `operator` read what `transpose` read, and `transpose` what `operator` wrote."""
    passed = int(transpose.outputs[0])
    source = int(transpose.inputs[0])
    operator.inputs = [source if index == passed else int(index) for index in operator.inputs]
    _after(wiring, transpose, operator, order)


def _after(
    wiring: Wiring,
    transpose: schema.OperatorT,
    operator: schema.OperatorT,
    order: tuple[int, ...],
) -> None:
    """Put `transpose` behind `operator`, whose result so far was in the transposed layout."""
    result, free = int(operator.outputs[0]), int(transpose.outputs[0])
    shape = wiring.shape(result)
    plain = [0] * len(shape)
    for place, axis in enumerate(order):
        plain[axis] = shape[place]
    wiring.set_shape(free, plain)
    operator.outputs = [free]
    transpose.inputs = [free, int(transpose.inputs[1])]
    transpose.outputs = [result]
    operators = [op for op in wiring.graph.operators if op is not transpose]
    place = next(i for i, op in enumerate(operators) if op is operator)
    operators.insert(place + 1, transpose)
    wiring.graph.operators = operators


_RULES: tuple[Callable[[Wiring], bool], ...] = (
    *(_drop_identity, _as_reshape, _merge_pair, _drop_same_shape),
    *(_into_dense, _past_mean, _past_unary, _past_pad, _past_binary, _past_concatenation),
)
