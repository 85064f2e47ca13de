"""How much flash and RAM a plan takes, before anything is built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinyml_tool.boards import Board, RamRegion
from tinyml_tool.compiler.plan import Plan, TensorRef
from tinyml_tool.compiler.regions import RegionUse, region_for, region_uses, shortage
from tinyml_tool.compiler.tflm_plan import AnyPlan, TflmPlan
from tinyml_tool.errors import DoesNotFitError

_ALIGNMENT = 16
_RECOMMENDED = 12
"""Most boards that an error names."""
_SMALL_RAM = 32 * 1024

# Arrays up to this many bytes may end up as literals in the code.
_FOLDED = 64

# What the generated firmware adds to a model, measured with arm-none-eabi-gcc 12.2 -O2.
_FLASH_OF_FIRMWARE = 15_000
_FLASH_OF_CALL = 350

# What TFLM adds, with a library of upstream's default build for Cortex-M4; CMSIS-NN takes the most.
_FLASH_OF_TFLM = 40_000
_FLASH_OF_TFLM_KIND = 6_000
_RAM_OF_TFLM = 2_200
_RAM_OF_FIRMWARE = 4_900
_RAM_OF_FIRMWARE_ON_SMALL_BOARDS = 1_800


@dataclass(frozen=True)
class Footprint:
    """Bytes a model and the firmware around it take.

    `arena_bytes` holds all tensors and scratch buffers, inputs included; `constant_bytes` are the
    weights and all that was derived from them.  `certain_flash_bytes` is what no C compiler can
    save.  `flash_bytes` and `ram_bytes` are estimates of the whole firmware, stack included, on a
    board with 32 KB of RAM or more; see `ram_on` for any board.
    """

    arena_bytes: int
    constant_bytes: int
    certain_flash_bytes: int
    flash_bytes: int
    ram_bytes: int
    interpreter_bytes: int = 0
    """RAM that engine tflm takes beside the arena; part of `ram_bytes`."""
    input_and_answer_bytes: int = 0
    """Static RAM of what makes the model's input and tells what its outputs say; part of
    `ram_bytes`."""
    arena_lower_bound: int = 0
    """Bytes no placement of the same buffers can do without; 0 where nothing tells."""


def stack_bytes(board: Board, engine: str = Plan.engine) -> int:
    """Bytes of RAM that firmware for `board` reserves for its stack."""
    return _stack_bytes(board.memory.ram.size, engine)


def _stack_bytes(ram: int, engine: str = Plan.engine) -> int:
    if ram >= _SMALL_RAM:
        return 4096
    return 3072 if engine == TflmPlan.engine else 2048  # TFLM was seen to use 1,884


def constant_sizes(plan: Plan) -> tuple[int, ...]:
    """Bytes of every array the model keeps in flash, each counted once."""
    tensors: set[int] = set()
    sizes = []
    names = plan.array_names()
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
        index = layer.operator.index
        sizes += [
            array.values.nbytes
            for array in layer.call.constants
            if names[index, array.name] == f"layer_{index}_{array.name}"
        ]
    return tuple(sizes)


def footprint_estimate(plan: AnyPlan) -> Footprint:
    """What `plan` takes: what is known now, and an estimate of the whole firmware."""
    return _interpreted(plan) if isinstance(plan, TflmPlan) else _compiled(plan)


def _interpreted(plan: TflmPlan) -> Footprint:
    model = len(plan.model)
    kinds = len(plan.registrations)
    return Footprint(
        arena_bytes=plan.arena_bytes,
        constant_bytes=model,
        certain_flash_bytes=model,
        flash_bytes=model + _FLASH_OF_FIRMWARE + _FLASH_OF_TFLM + kinds * _FLASH_OF_TFLM_KIND,
        ram_bytes=plan.arena_bytes + _RAM_OF_TFLM + _RAM_OF_FIRMWARE + _stack_bytes(_SMALL_RAM),
        interpreter_bytes=_RAM_OF_TFLM,
    )


def _compiled(plan: Plan) -> Footprint:
    sizes = constant_sizes(plan)
    calls = sum(layer.call is not None for layer in plan.layers)
    constants = sum(-(-size // _ALIGNMENT) * _ALIGNMENT for size in sizes)
    arena = plan.memory.arena_bytes
    return Footprint(
        arena_bytes=arena,
        constant_bytes=constants,
        certain_flash_bytes=sum(size for size in sizes if size > _FOLDED),
        flash_bytes=constants + _FLASH_OF_FIRMWARE + calls * _FLASH_OF_CALL,
        ram_bytes=arena + _RAM_OF_FIRMWARE + _stack_bytes(_SMALL_RAM),
        arena_lower_bound=plan.memory.lower_bound,
    )


def ram_on(footprint: Footprint, board: Board) -> int:
    """RAM of the whole firmware on `board` (estimated); small boards get smaller buffers."""
    memory = board.memory
    small = memory.ram.size < _SMALL_RAM
    firmware = _RAM_OF_FIRMWARE_ON_SMALL_BOARDS if small else _RAM_OF_FIRMWARE
    framework = memory.framework.ram if memory.framework else 0
    copied = footprint.flash_bytes if memory.constants_in_ram else 0
    model = footprint.arena_bytes + footprint.interpreter_bytes + footprint.input_and_answer_bytes
    engine = TflmPlan.engine if footprint.interpreter_bytes else Plan.engine
    return model + firmware + stack_bytes(board, engine) + framework + copied


def flash_on(footprint: Footprint, board: Board) -> int:
    """Flash of the whole firmware on `board` (estimated), with its framework if it has one."""
    framework = board.memory.framework.flash if board.memory.framework else 0
    return footprint.flash_bytes + framework


def fits(footprint: Footprint, board: Board, more_ram: int = 0) -> bool:
    """Whether the firmware, with `more_ram` bytes of buffers, will probably fit (estimated)."""
    memory = board.memory
    if flash_on(footprint, board) > memory.flash.size:
        return False
    if memory.regions:
        rest = _beside_arena(footprint, board, more_ram)
        return region_for(footprint.arena_bytes, rest, memory) is not None
    return ram_on(footprint, board) + more_ram <= memory.ram.size


def _beside_arena(footprint: Footprint, board: Board, more_ram: int) -> int:
    """RAM of stack and variables (estimated)."""
    return ram_on(footprint, board) + more_ram - footprint.arena_bytes


def arena_region(plan: AnyPlan, board: Board, more_ram: int = 0) -> RamRegion | None:
    """Where the arena goes on a board with several regions of RAM.

    None where it lies with the other variables: on boards without regions, or by choice.  Where the
    estimate of these, with `more_ram` bytes of buffers, leaves no region large enough, the linker
    has the last word: then only what is certain counts.
    """
    memory = board.memory
    footprint = footprint_estimate(plan)
    certain = _certain_ram(footprint, board, plan.engine) + more_ram
    for rest in (_beside_arena(footprint, board, more_ram), certain):
        if found := region_for(footprint.arena_bytes, rest, memory):
            return None if memory.is_main(found) else found
    return None


def uses_on(footprint: Footprint, board: Board, more_ram: int = 0) -> tuple[RegionUse, ...]:
    """What each region of RAM holds (estimated); none for boards with one piece of RAM."""
    rest = _beside_arena(footprint, board, more_ram)
    return region_uses(footprint.arena_bytes, rest, board.memory)


def _certain_ram(footprint: Footprint, board: Board, engine: str) -> int:
    """What no C compiler can save beside the arena and buffers."""
    copied = footprint.certain_flash_bytes if board.memory.constants_in_ram else 0
    return copied + stack_bytes(board, engine)


def check_fits(
    plan: AnyPlan, board: Board, others: Iterable[Board] = (), *, more_ram: int = 0
) -> None:
    """Refuse what certainly cannot fit, before anything is written or built.

    `others` are boards to recommend, `more_ram` bytes of buffers beside the model's.  Raises
    DoesNotFitError with what is needed, what the board has and the difference.
    """
    footprint = footprint_estimate(plan)
    rows = [("flash", "the weights", footprint.certain_flash_bytes, board.memory.flash.size)]
    rows += _ram_rows(footprint, board, plan.engine, more_ram)
    problems = [
        f"{kind}: {what} need {needs:,} bytes, {board.id} has {has:,}: "
        f"{needs - has:,} bytes too many"
        for kind, what, needs, has in rows
        if needs > has
    ]
    if not problems:
        return
    large_enough = sorted(
        (other for other in others if fits(footprint, other, more_ram)),
        # first those for QEMU, which is on more computers than Renode, and than a board
        key=lambda other: (other.emulator is None, other.is_real, other.memory.ram.size, other.id),
    )
    if board.memory.arena is not None and _fits_elsewhere(plan, board, more_ram):
        hint = f"leave the arena's region '{board.memory.arena}' out: it has room in another"
    elif large_enough:
        named = ", ".join(other.id for other in large_enough[:_RECOMMENDED])
        more = "" if len(large_enough) <= _RECOMMENDED else "; `tinyml inspect` lists all"
        hint = f"boards it fits (estimated): {named}{more}"
    else:
        hint = "use a model with smaller layers, or a board with more memory"
    raise DoesNotFitError(
        f"{plan.graph.name} does not fit {board.id}: {'; '.join(problems)}",
        hint=hint,
        details=problems,
    )


def _fits_elsewhere(plan: AnyPlan, board: Board, more_ram: int) -> bool:
    """Whether any region of RAM holds what the one that was asked for does not."""
    footprint = footprint_estimate(plan)
    rest = _certain_ram(footprint, board, plan.engine) + more_ram
    freely = board.memory.model_copy(update={"arena": None})
    return region_for(footprint.arena_bytes, rest, freely) is not None


def _ram_rows(
    footprint: Footprint, board: Board, engine: str, more_ram: int
) -> list[tuple[str, str, int, int]]:
    """Kind of memory, what goes there, bytes it needs, bytes there are: one for each region.

    No region needs more than it has where one of them holds the arena, and `ram` the rest.
    """
    memory, arena = board.memory, footprint.arena_bytes
    rest = _certain_ram(footprint, board, engine) + more_ram
    buffers = f", buffers ({more_ram:,})" if more_ram else ""
    copied = footprint.certain_flash_bytes if memory.constants_in_ram else 0
    weights = f", weights ({copied:,})" if copied else ""
    stack = f"{weights}{buffers} and stack ({stack_bytes(board, engine):,})"
    everything = f"tensors ({arena:,}){stack}"
    if not memory.regions:
        return [("RAM", everything, arena + rest, memory.ram.size)]
    if region_for(arena, rest, memory) is not None:
        return []
    if rest > memory.ram.size:
        return [("RAM", stack.removeprefix(", ").removeprefix(" and "), rest, memory.ram.size)]
    return [
        (
            region.name,
            everything if memory.is_main(region) else f"tensors ({arena:,})",
            bytes_,
            region.size,
        )
        for region, bytes_ in shortage(arena, rest, memory)
    ]
