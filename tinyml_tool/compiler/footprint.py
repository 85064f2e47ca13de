"""How much flash and RAM a plan takes, before anything is built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinyml_tool.boards import Board
from tinyml_tool.compiler.plan import Plan, TensorRef
from tinyml_tool.errors import DoesNotFitError

_ALIGNMENT = 16
_FOLDED = 64
"""Arrays up to this many bytes may end up as literals in the code."""


@dataclass(frozen=True)
class Footprint:
    """Bytes a firmware takes; `certain_` is what no compiler can save, the rest is estimated.

    `arena_bytes` holds all tensors and scratch buffers, inputs included.  `constant_bytes` are
    weights and all that was derived from them.
    """

    arena_bytes: int
    constant_bytes: int
    certain_flash_bytes: int
    flash_bytes: int
    ram_bytes: int


def constant_sizes(plan: Plan) -> tuple[int, ...]:
    """Bytes of every array the model keeps in flash, each counted once."""
    tensors: set[int] = set()
    sizes = []
    for layer in plan.layers:
        if layer.call is None:
            continue
        for argument in layer.call.arguments:
            if not isinstance(argument, TensorRef) or argument.tensor in tensors:
                continue
            tensor = plan.graph.tensors[argument.tensor]
            if tensor.is_constant:
                tensors.add(argument.tensor)
                sizes.append(tensor.bytes)
        sizes += [array.values.nbytes for array in layer.call.constants]
    return tuple(sizes)


# Measured on the generated projects with arm-none-eabi-gcc 12.2 -O2.
_FIRMWARE_FLASH = 8 * 1024
_FLASH_PER_CALL = 600
_FIRMWARE_RAM = 6 * 1024


def footprint_estimate(plan: Plan) -> Footprint:
    """What `plan` takes on a board: lower bounds, and an estimate of the whole firmware."""
    sizes = constant_sizes(plan)
    calls = sum(layer.call is not None for layer in plan.layers)
    constants = sum(-(-size // _ALIGNMENT) * _ALIGNMENT for size in sizes)
    arena = plan.memory.arena_bytes
    return Footprint(
        arena_bytes=arena,
        constant_bytes=constants,
        certain_flash_bytes=sum(size for size in sizes if size > _FOLDED),
        flash_bytes=constants + _FIRMWARE_FLASH + calls * _FLASH_PER_CALL,
        ram_bytes=arena + _FIRMWARE_RAM,
    )


def fits(footprint: Footprint, board: Board) -> bool:
    """Whether the firmware will probably fit `board` (estimated)."""
    memory = board.memory
    return footprint.flash_bytes <= memory.flash.size and footprint.ram_bytes <= memory.ram.size


def check_fits(plan: Plan, board: Board, others: Iterable[Board] = ()) -> None:
    """Refuse what certainly cannot fit, before anything is written or built.

    `others` are boards to recommend.  Raises DoesNotFitError with what is needed, what the board
    has and the difference.
    """
    footprint = footprint_estimate(plan)
    problems = [
        f"{what} need {needs:,} bytes of {kind}, {board.id} has {has:,}: "
        f"{needs - has:,} bytes too many"
        for what, kind, needs, has in (
            ("weights", "flash", footprint.certain_flash_bytes, board.memory.flash.size),
            ("tensors", "RAM", footprint.arena_bytes, board.memory.ram.size),
        )
        if needs > has
    ]
    if not problems:
        return
    large_enough = [other.id for other in others if fits(footprint, other)]
    if large_enough:
        hint = f"boards it fits (estimated): {', '.join(large_enough)}"
    else:
        hint = "use a model with smaller layers, or a board with more memory"
    raise DoesNotFitError(
        f"{plan.graph.name} does not fit {board.id}: {'; '.join(problems)}",
        hint=hint,
        details=problems,
    )
