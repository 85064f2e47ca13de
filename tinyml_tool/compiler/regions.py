"""Which region of a board's RAM holds the arena, and what each region has to hold."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_tool.boards import Memory, RamRegion


@dataclass(frozen=True)
class RegionUse:
    """Bytes that a firmware takes of a region of RAM, and all that it has."""

    name: str
    bytes: int
    size: int


def candidates(memory: Memory) -> tuple[RamRegion, ...]:
    """Regions that may hold the arena, the fastest first; of equal ones the order of the file."""
    if memory.arena is not None:
        return tuple(region for region in memory.regions if region.name == memory.arena)
    return tuple(sorted(memory.regions, key=lambda region: region.speed))


def needed(region: RamRegion, arena: int, rest: int, memory: Memory) -> int:
    """Bytes that a region must have for an arena of `arena` bytes.

    `rest` are those of stack and variables, which lie in the board's `ram`.
    """
    return arena + rest if memory.is_main(region) else arena


def region_for(arena: int, rest: int, memory: Memory) -> RamRegion | None:
    """The fastest region that holds the whole arena; None where none does.

    `arena` and `rest` in bytes, see `needed`.  None as well where `ram` has no room for `rest`.
    """
    if rest > memory.ram.size:
        return None
    return next(
        (r for r in candidates(memory) if needed(r, arena, rest, memory) <= r.size),
        None,
    )


def region_uses(arena: int, rest: int, memory: Memory) -> tuple[RegionUse, ...]:
    """What each region of a board would hold; none for boards with one piece of RAM.

    Where no region holds the arena, it is counted to the one with the most room.
    """
    if not memory.regions:
        return ()
    chosen = region_for(arena, rest, memory) or max(
        candidates(memory), key=lambda r: r.size - needed(r, arena, rest, memory)
    )
    return tuple(
        RegionUse(
            region.name,
            (rest if memory.is_main(region) else 0) + (arena if region == chosen else 0),
            region.size,
        )
        for region in memory.regions
    )


def shortage(arena: int, rest: int, memory: Memory) -> list[tuple[RamRegion, int]]:
    """Each region that could have held the arena, and the bytes it would need for that."""
    return [(region, needed(region, arena, rest, memory)) for region in candidates(memory)]
