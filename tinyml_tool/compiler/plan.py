"""The compiler's result: kernel calls in order, constants, and where every tensor lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.target import Bodies
from tinyml_tool.config import DEFAULT_OPTIMIZE, Optimize
from tinyml_tool.graph.passes.rewrite import Rewriting
from tinyml_tool.graph.types import Graph, Operator


@dataclass(frozen=True)
class TensorRef:
    """Argument: the data of a tensor of the graph, in the arena or, for a constant, in flash."""

    tensor: int


@dataclass(frozen=True)
class ConstantRef:
    """Argument: an array of this call, by the name in `KernelCall.constants`."""

    name: str


@dataclass(frozen=True)
class ScratchRef:
    """Argument: this call's scratch buffer in the arena (`KernelCall.scratch_bytes` long)."""


@dataclass(frozen=True)
class NullRef:
    """Argument: a null pointer, for an optional input that is absent."""


Argument: TypeAlias = TensorRef | ConstantRef | ScratchRef | NullRef
ParamValue: TypeAlias = int | float | tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ConstantArray:
    """A constant the compiler derived for one call, such as requantization multipliers.

    `values` is one-dimensional with dtype int8 to int64, uint8, uint16 or float32; the C type
    follows.
    """

    name: str
    values: NDArray[Any]
    comment: str = ""

    def __post_init__(self) -> None:
        array = np.ascontiguousarray(self.values)
        array.setflags(write=False)
        object.__setattr__(self, "values", array)


@dataclass(frozen=True)
class KernelCall:
    """One call `tinyml_<kernel>(&params, arguments...)`.

    The kernel is `firmware_templates/kernels/<kernel>.h`; `params` are the fields of its
    `struct tinyml_<kernel>_params` by name, in the struct's order (a tuple fills an array field).
    """

    kernel: str
    params: tuple[tuple[str, ParamValue], ...]
    arguments: tuple[Argument, ...]
    constants: tuple[ConstantArray, ...] = ()
    scratch_bytes: int = 0
    reason: str = ""
    """Why this kernel and not another one; empty where the operator has only one."""
    frugal: KernelCall | None = None
    """The same with less scratch, for some more instructions: see less_scratch.py."""


@dataclass(frozen=True)
class RowCall:
    """A layer's kernel, called for one band of rows."""

    layer: int
    """The operator's position."""
    first: int
    count: int
    """Rows of output that it makes."""
    input_offset: int
    output_offset: int
    """Bytes from the begin of a tensor, or of the stage's scratch where the tensor lies there."""
    values: tuple[int, ...]
    """Of the parameters `RowStage.varying` of its layer."""


@dataclass(frozen=True)
class RowStage:
    """Layers that run together in bands of rows: what lies between two of them is never whole.

    Source: patch-based inference, Lin et al., "MCUNetV2", 2021; here patches are whole rows.
    """

    layers: tuple[int, ...]
    """Positions of the operators, each reading the one before."""
    source: int
    target: int
    """Tensors: the first layer's input, the last one's output."""
    bands: tuple[tuple[RowCall, ...], ...]
    """In order of work: a call a layer, in each band."""
    varying: dict[int, tuple[str, ...]]
    """By operator: its parameters that differ between bands."""
    kernel_scratch: int
    """Where the kernels' own scratch lies in the stage's scratch, in bytes from its begin."""
    scratch_bytes: int
    lead: int
    """How far `target` may lie over `source`: see overlap.py."""


@dataclass(frozen=True)
class Layer:
    """An operator with its kernel call; `call` is None where the output aliases the input."""

    operator: Operator
    call: KernelCall | None
    comment: str
    """What a reader of the generated C wants to know: kind, shapes, activation."""
    stage: RowStage | None = None
    """Where it runs in bands of rows: `call` is that of the first band.

    Layers of a stage share it; the last one stands for all of them.
    """

    @property
    def is_inner(self) -> bool:
        """Whether it is part of a later layer's stage, and its output never whole in memory."""
        return self.stage is not None and self.stage.layers[-1] != self.operator.index


@dataclass(frozen=True)
class Allocation:
    """A byte range of the arena: `offset` from its start, `bytes` long."""

    offset: int
    bytes: int


@dataclass(frozen=True)
class MemoryPlan:
    """Arena offsets of every non-constant tensor and of the layers' scratch buffers."""

    arena_bytes: int
    alignment: int
    tensors: dict[int, Allocation]
    scratch: dict[int, Allocation] = field(default_factory=dict)
    """By operator index."""
    lower_bound: int = 0
    """Bytes that no placement of these buffers can do without."""


@dataclass(frozen=True, eq=False)
class Plan:
    """All that `firmware/` needs to write the model's C sources."""

    engine: ClassVar[str] = "aot"

    graph: Graph
    layers: tuple[Layer, ...]
    memory: MemoryPlan
    optimize: Optimize = DEFAULT_OPTIMIZE
    rewriting: Rewriting | None = None
    """How the passes made `graph` of the model's; None where none ran."""
    bodies: Bodies = ()
    """Layers that run the kernel of a simpler core, as it was measured to be better."""

    @property
    def arena_bytes(self) -> int:
        """Bytes of all tensors and scratch buffers."""
        return self.memory.arena_bytes

    def array_names(self) -> dict[tuple[int, str], str]:
        """C name of each call's arrays, by layer and name; equal arrays share the first's."""
        first: dict[tuple[str, bytes], str] = {}
        names: dict[tuple[int, str], str] = {}
        for layer in self.layers:
            index = layer.operator.index
            for array in layer.call.constants if layer.call else ():
                content = (array.values.dtype.name, array.values.tobytes())
                names[index, array.name] = first.setdefault(content, f"layer_{index}_{array.name}")
        return names

    @property
    def kernels(self) -> tuple[str, ...]:
        """Names of the kernels used, sorted."""
        return tuple(sorted({layer.call.kernel for layer in self.layers if layer.call}))
