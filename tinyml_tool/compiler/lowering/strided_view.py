"""Strided views of dense tensors, and the kernel call that copies one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tinyml_tool.compiler.plan import KernelCall, TensorRef
from tinyml_tool.graph.types import Tensor

_KERNEL_AXES = 5


def dense_steps(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Elements from one index to the next along each axis of a dense tensor."""
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


@dataclass(frozen=True)
class StridedView:
    """Elements `offset + sum(index * steps)` of a tensor, for every index within `counts`."""

    offset: int
    counts: tuple[int, ...]
    steps: tuple[int, ...]

    def simplified(self) -> StridedView:
        """The same elements in the same order with as few axes as possible."""
        axes: list[tuple[int, int]] = []
        for count, step in zip(self.counts, self.steps, strict=True):
            if count == 1:
                continue
            if axes and axes[-1][1] == count * step:
                axes[-1] = (axes[-1][0] * count, step)
            else:
                axes.append((count, step))
        return StridedView(
            self.offset, tuple(count for count, _ in axes), tuple(step for _, step in axes)
        )


def strided_copy_call(view: StridedView, source: Tensor, target: Tensor) -> KernelCall:
    """The call that copies a view of at most five axes of `source` into `target`."""
    size = source.dtype.bytes
    simple = view.simplified()
    counts, steps, run = list(simple.counts), list(simple.steps), 1
    if steps and steps[-1] == 1:
        run = counts.pop()
        steps.pop()
    missing = _KERNEL_AXES - len(counts)
    return KernelCall(
        kernel="strided_copy",
        params=(
            ("offset", simple.offset * size),
            ("counts", (*([1] * missing), *counts)),
            ("steps", (*([0] * missing), *(step * size for step in steps))),
            ("run_bytes", run * size),
        ),
        arguments=(TensorRef(source.index), TensorRef(target.index)),
    )
