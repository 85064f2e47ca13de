"""Shape rules of operators that only move values: reshape, slice, join, pad."""

from __future__ import annotations

from tinyml_tool.graph.options import (
    ConcatenationOptions,
    SplitOptions,
    SqueezeOptions,
    StridedSliceOptions,
)
from tinyml_tool.graph.shapes.rule import (
    Rule,
    Shape,
    ShapeError,
    constant_integers,
    inside,
    needs_rank,
    text,
)
from tinyml_tool.graph.types import Graph, Operator


def reshape(operator: Operator, graph: Graph) -> tuple[Shape, ...]:
    """The stored shape of the output counts; it must hold as many elements as the input."""
    source, output = graph.tensor(operator.inputs[0]), graph.tensor(operator.outputs[0])
    if source.elements != output.elements:
        raise ShapeError(
            f"input {text(source.shape)} has {source.elements} elements, "
            f"output {text(output.shape)} has {output.elements}"
        )
    return (output.shape,)


def squeeze(operator: Operator, graph: Graph) -> tuple[Shape, ...]:
    """The chosen axes, or else all of length 1, vanish."""
    shape = graph.tensor(operator.inputs[0]).shape
    options = operator.options
    assert isinstance(options, SqueezeOptions)
    axes = {inside(axis, len(shape)) for axis in options.axes}
    long = [axis for axis in sorted(axes) if shape[axis] != 1]
    if long:
        raise ShapeError(f"axis {long[0]} of input {text(shape)} has not the length 1")
    if not options.axes:
        axes = {axis for axis, length in enumerate(shape) if length == 1}
    return (tuple(length for axis, length in enumerate(shape) if axis not in axes),)


def expand_dims(operator: Operator, graph: Graph) -> tuple[Shape, ...] | None:
    """Input and where a new axis of length 1 goes."""
    axes = constant_integers(graph, operator.inputs[1], "axis")
    if axes is None:
        return None
    shape = graph.tensor(operator.inputs[0]).shape
    if len(axes) != 1:
        raise ShapeError(f"the axis has {len(axes)} values, needs 1")
    axis = inside(axes[0], len(shape) + 1)
    return ((*shape[:axis], 1, *shape[axis:]),)


def concatenation(operator: Operator, graph: Graph) -> tuple[Shape, ...]:
    """All inputs have equal lengths but along the axis, where they add up."""
    shapes = [graph.tensor(index).shape for index in operator.inputs]
    options = operator.options
    assert isinstance(options, ConcatenationOptions)
    axis = inside(options.axis, len(shapes[0]))
    for shape in shapes[1:]:
        if len(shape) != len(shapes[0]) or _without(shape, axis) != _without(shapes[0], axis):
            raise ShapeError(
                f"inputs {text(shapes[0])} and {text(shape)} do not join along axis {axis}"
            )
    total = sum(shape[axis] for shape in shapes)
    return ((*shapes[0][:axis], total, *shapes[0][axis + 1 :]),)


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def split(operator: Operator, graph: Graph) -> tuple[Shape, ...] | None:
    """Axis and input; as many equal parts as outputs."""
    options = operator.options
    assert isinstance(options, SplitOptions)
    if options.num_splits != len(operator.outputs):
        raise ShapeError(f"{options.num_splits} parts, but {len(operator.outputs)} outputs")
    axes = constant_integers(graph, operator.inputs[0], "axis")
    if axes is None:
        return None
    shape = graph.tensor(operator.inputs[1]).shape
    if len(axes) != 1:
        raise ShapeError(f"the axis has {len(axes)} values, needs 1")
    axis = inside(axes[0], len(shape))
    part, rest = divmod(shape[axis], options.num_splits)
    if rest:
        raise ShapeError(
            f"axis {axis} of input {text(shape)} does not divide into {options.num_splits} parts"
        )
    return ((*shape[:axis], part, *shape[axis + 1 :]),) * options.num_splits


def pad(operator: Operator, graph: Graph) -> tuple[Shape, ...] | None:
    """Input and paddings [rank, 2]: how many before and after each axis."""
    shape = graph.tensor(operator.inputs[0]).shape
    paddings = constant_integers(graph, operator.inputs[1], "paddings")
    if paddings is None:
        return None
    if len(paddings) != 2 * len(shape):
        raise ShapeError(f"{len(paddings)} paddings for rank {len(shape)}, needs {2 * len(shape)}")
    if min(paddings, default=0) < 0:
        raise ShapeError(f"padding {min(paddings)} is negative")
    before, after = paddings[::2], paddings[1::2]
    return (tuple(b + n + a for b, n, a in zip(before, shape, after, strict=True)),)


def transpose(operator: Operator, graph: Graph) -> tuple[Shape, ...] | None:
    """Input and the permutation of its axes."""
    shape = graph.tensor(operator.inputs[0]).shape
    permutation = constant_integers(graph, operator.inputs[1], "axes")
    if permutation is None:
        return None
    if sorted(permutation) != list(range(len(shape))):
        raise ShapeError(f"{list(permutation)} is no permutation of {len(shape)} axes")
    return (tuple(shape[axis] for axis in permutation),)


def strided_slice(operator: Operator, graph: Graph) -> tuple[Shape, ...] | None:
    """Input, begin, end and strides; not with ellipsis or new axes, which no engine takes."""
    options = operator.options
    assert isinstance(options, StridedSliceOptions)
    shape = graph.tensor(operator.inputs[0]).shape
    names = ("begin indices", "end indices", "strides")
    values = [
        constant_integers(graph, index, name)
        for index, name in zip(operator.inputs[1:], names, strict=True)
    ]
    if options.ellipsis_mask or options.new_axis_mask:
        return None
    begins, ends, strides = values
    if begins is None or ends is None or strides is None:
        return None
    if not len(begins) == len(ends) == len(strides) <= len(shape):
        raise ShapeError(
            f"{len(begins)} begins, {len(ends)} ends and {len(strides)} strides "
            f"for an input of rank {len(shape)}"
        )
    output = []
    for axis, length in enumerate(shape):
        if axis >= len(begins):
            output.append(length)
            continue
        end = ends[axis] + begins[axis] if options.offset else ends[axis]
        count = _slice_length(axis, length, (begins[axis], end, strides[axis]), options)
        if count is not None:
            output.append(count)
    return (tuple(output),)


def _slice_length(
    axis: int, length: int, bounds: tuple[int, int, int], options: StridedSliceOptions
) -> int | None:
    """Values taken along an axis; None where the axis vanishes."""
    begin, end, stride = bounds
    if stride == 0:
        raise ShapeError(f"the stride of axis {axis} is 0")
    bit = 1 << axis
    if options.shrink_axis_mask & bit:
        if not (options.begin_mask & bit or -length <= begin < length):
            raise ShapeError(f"index {begin} of axis {axis} is outside its {length} values")
        return None
    first = None if options.begin_mask & bit else begin
    last = None if options.end_mask & bit else end
    count = len(range(*slice(first, last, stride).indices(length)))
    if count == 0:
        raise ShapeError(f"the slice of axis {axis} from {begin} to {end} is empty")
    return count


def resize(operator: Operator, graph: Graph) -> tuple[Shape, ...] | None:
    """Input NHWC and the new height and width."""
    source = graph.tensor(operator.inputs[0])
    needs_rank(source, 4, "input")
    size = constant_integers(graph, operator.inputs[1], "height and width")
    if size is None:
        return None
    if len(size) != 2 or min(size) < 1:
        raise ShapeError(f"the new size is {list(size)}, needs a height and a width above 0")
    return ((source.shape[0], *size, source.shape[3]),)


RULES: dict[str, Rule] = {
    "RESHAPE": reshape,
    "SQUEEZE": squeeze,
    "EXPAND_DIMS": expand_dims,
    "CONCATENATION": concatenation,
    "SPLIT": split,
    "PAD": pad,
    "PADV2": pad,
    "TRANSPOSE": transpose,
    "STRIDED_SLICE": strided_slice,
    "RESIZE_NEAREST_NEIGHBOR": resize,
}
