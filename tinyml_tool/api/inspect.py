"""`inspect`: what a model consists of, which engine runs it, and which boards it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyml_tool.boards import Board, Core, load_board, load_boards
from tinyml_tool.compiler.compile import plan_layers, problems_of
from tinyml_tool.compiler.describe import describe
from tinyml_tool.compiler.footprint import Footprint, fits, footprint_estimate, ram_on
from tinyml_tool.compiler.tflm_operators import TFLM_OPERATORS
from tinyml_tool.graph.measure import (
    activation_bytes,
    macs,
    peak_activation_bytes,
    total_macs,
    total_weight_bytes,
    weight_bytes,
)
from tinyml_tool.graph.problem import Problem
from tinyml_tool.graph.reader import read_model
from tinyml_tool.graph.types import Graph, Operator, Tensor


@dataclass(frozen=True)
class TensorFacts:
    """An input or output of the model."""

    name: str
    type: str
    shape: tuple[int, ...]
    scale: float | None
    zero_point: int | None


@dataclass(frozen=True)
class LayerFacts:
    """One operator: what it does and costs, and whether each engine supports it."""

    index: int
    kind: str
    description: str
    input_types: tuple[str, ...]
    output_type: str
    output_shape: tuple[int, ...]
    macs: int
    weight_bytes: int
    activation_bytes: int
    aot: bool
    tflm: bool


@dataclass(frozen=True)
class BoardFit:
    """Whether the firmware fits a board (estimated: nothing was built)."""

    board: str
    fits: bool
    flash_bytes: int
    flash_available: int
    ram_bytes: int
    ram_available: int


@dataclass(frozen=True)
class Inspection:
    """All that is known about a model without building it."""

    name: str
    model_hash: str
    inputs: tuple[TensorFacts, ...]
    outputs: tuple[TensorFacts, ...]
    layers: tuple[LayerFacts, ...]
    macs: int
    weight_bytes: int
    peak_activation_bytes: int
    """A lower bound for any memory plan that does not overwrite inputs."""
    footprint: Footprint | None
    """None where engine aot cannot run the model."""
    boards: tuple[BoardFit, ...]
    problems: tuple[Problem, ...]
    """Why engine aot cannot run it: all reasons at once."""

    @property
    def supported(self) -> bool:
        """Whether engine aot runs the model."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {**asdict(self), "supported": self.supported}


def _tensor(tensor: Tensor) -> TensorFacts:
    quantization = tensor.quantization
    single = quantization if quantization and not quantization.per_channel else None
    return TensorFacts(
        tensor.name,
        tensor.dtype.value,
        tensor.shape,
        single.scale if single else None,
        single.zero_point if single else None,
    )


def _layer(operator: Operator, graph: Graph, aot: bool) -> LayerFacts:
    output = graph.tensors[operator.outputs[0]]
    present = [graph.tensors[t] for t in operator.inputs if t >= 0]
    return LayerFacts(
        index=operator.index,
        kind=operator.kind,
        description=describe(operator, graph),
        input_types=tuple(tensor.dtype.value for tensor in present),
        output_type=output.dtype.value,
        output_shape=output.shape,
        macs=macs(operator, graph),
        weight_bytes=weight_bytes(operator, graph),
        activation_bytes=activation_bytes(operator, graph),
        aot=aot,
        tflm=operator.kind in TFLM_OPERATORS,
    )


def _fit(footprint: Footprint, board: Board) -> BoardFit:
    return BoardFit(
        board.id,
        fits(footprint, board),
        footprint.flash_bytes,
        board.memory.flash.size,
        ram_on(footprint, board),
        board.memory.ram.size,
    )


def inspect_graph(graph: Graph, boards: Sequence[Board], core: Core) -> Inspection:
    """Inspect `graph` as compiled for `core`, against `boards`."""
    problems, layers = problems_of(graph, core)
    lowered = {layer.operator.index for layer in layers}
    footprint = None if problems else footprint_estimate(plan_layers(graph, layers))
    return Inspection(
        name=graph.name,
        model_hash=graph.model_hash,
        inputs=tuple(_tensor(graph.tensors[t]) for t in graph.inputs),
        outputs=tuple(_tensor(graph.tensors[t]) for t in graph.outputs),
        layers=tuple(
            _layer(operator, graph, operator.index in lowered) for operator in graph.operators
        ),
        macs=total_macs(graph),
        weight_bytes=total_weight_bytes(graph),
        peak_activation_bytes=peak_activation_bytes(graph),
        footprint=footprint,
        boards=tuple(_fit(footprint, board) for board in boards) if footprint else (),
        problems=problems,
    )


def inspect(model: str | Path, *, board: str | Path | Board | None = None) -> Inspection:
    """Inspect a `.tflite` file, for one board or for all.

    Raises InvalidModelError for a file that is not a sound `.tflite`.  Whatever else is wrong is
    told in `problems`.
    """
    graph = read_model(model)
    boards = [load_board(board)] if board is not None else list(load_boards().values())
    core = boards[0].core if board is not None else load_board("qemu-m4").core
    return inspect_graph(graph, boards, core)
