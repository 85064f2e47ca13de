"""The most stack that a function can take, read from the program's own instructions.

The bound is of what really runs, the C library included.  For each function all that its
instructions take from the stack pointer is added up, whether or not they lie on one path, then
that of the deepest function it calls.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinyml_tool.toolchain.disassembly import Function, Instruction, Listing

_LIST = re.compile(r"\{([^}]*)\}")
_IMMEDIATE = re.compile(r"#(-?\d+)")
_WRITE_BACK = re.compile(r"\[sp, #(-\d+)\]!")
_PUSHES = ("push", "vpush")
_STORES_DOWN = ("stmdb", "stmfd", "vstmdb")
_INDIRECT = ("blx", "bx")
_LEAVE_SP = (".", "cmp", "tst", "str", "ldr", "ldm", "stm", "vldm")
"""They may name it first and leave it, or only ever give stack back."""
_FRAME_POINTERS = ("r7", "r11", "fp")
_CONDITIONS = "(eq|ne|cs|cc|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)"
_CALL = re.compile(rf"b(l|lx)?{_CONDITIONS}?|cbn?z|le|wls|dls|bf|bfl")


@dataclass(frozen=True)
class Frame:
    """A function on the deepest path, and the bytes it takes itself."""

    function: str
    bytes: int


@dataclass(frozen=True)
class StackBound:
    """Bytes that a function and all it calls take at most, without interrupts."""

    bytes: int | None
    """None where there is no bound."""
    path: tuple[Frame, ...]
    """The deepest chain of calls, or the one to where no bound is known."""
    reason: str | None = None
    """Why there is none."""


_OWN_PLACE = re.compile(r"pc, \[sp, #\d+\]")
"""A jump to a place that the function keeps in its own frame, as the kernels' loops in assembly
do where their first turn is shorter: it lies in that function.  Compilers never jump so."""


class _UnboundedError(Exception):
    def __init__(self, reason: str, path: tuple[Frame, ...]) -> None:
        super().__init__(reason)
        self.reason, self.path = reason, path


def stack_bound(listing: Listing, root: str) -> StackBound:
    """The bound of function `root`; without one where it recurs, or calls what is not known."""
    function = listing.named(root)
    if function is None:
        return StackBound(None, (), f"the program has no function {root}")
    try:
        path = _deepest(listing, function, (), {})
    except _UnboundedError as error:
        return StackBound(None, error.path, error.reason)
    return StackBound(sum(frame.bytes for frame in path), path)


def _deepest(
    listing: Listing,
    function: Function,
    above: tuple[Function, ...],
    known: dict[int, tuple[Frame, ...]],
) -> tuple[Frame, ...]:
    """The frames of the deepest chain of calls that begins with `function`."""
    if function.address in known:
        return known[function.address]
    chain = (*above, function)
    trail = tuple(Frame(each.name, 0) for each in chain)
    if function in above:
        names = " -> ".join(each.name for each in chain[above.index(function) :])
        raise _UnboundedError(f"recursion: {names}", trail)
    own, deepest = 0, tuple[Frame, ...]()
    for instruction in function.instructions:
        taken = _taken(instruction, function, listing)
        if isinstance(taken, str):
            raise _UnboundedError(f"{function.name}: {taken}", trail)
        own += taken
        callee = _callee(instruction, function, listing)
        if isinstance(callee, str):
            raise _UnboundedError(f"{function.name}: {callee}", trail)
        if callee is not None:
            below = _deepest(listing, callee, chain, known)
            deepest = max(deepest, below, key=lambda frames: sum(f.bytes for f in frames))
    if (behind := _falls_into(function, listing)) is not None:
        below = _deepest(listing, behind, chain, known)
        deepest = max(deepest, below, key=lambda frames: sum(f.bytes for f in frames))
    known[function.address] = (Frame(function.name, own), *deepest)
    return known[function.address]


def _falls_into(function: Function, listing: Listing) -> Function | None:
    """The function behind this one, where this one does not end in a jump, a return or a call."""
    code = [each for each in function.instructions if not each.mnemonic.startswith((".", "nop"))]
    last = code[-1] if code else None
    if last is None or last is not function.instructions[len(code) - 1]:
        return None
    leaves = last.mnemonic in ("b", "bx", "bl", "blx", "udf", "bkpt") or "pc" in last.operands
    behind = [place for place in listing.functions if place > function.address]
    return None if leaves or not behind else listing.functions[min(behind)]


def _taken(instruction: Instruction, function: Function, listing: Listing) -> int | str:
    """Bytes that an instruction takes from the stack, or what stands against telling them."""
    name, operands = instruction.mnemonic, instruction.operands
    if name in _PUSHES or (name in _STORES_DOWN and operands.startswith("sp!")):
        return _listed_bytes(operands)
    if back := _WRITE_BACK.search(operands):
        return -int(back[1])
    if not operands.startswith("sp,") or name.startswith(_LEAVE_SP):
        return 0
    change = _change_of_sp(instruction, function, listing)
    if change is None:
        return f"'{name} {operands}' moves the stack by what is known only when it runs"
    return max(0, -change)


def _change_of_sp(instruction: Instruction, function: Function, listing: Listing) -> int | None:
    """What is added to the stack pointer; None where that is not known."""
    name, last = instruction.mnemonic, instruction.operands.split(",")[-1].strip()
    if number := _IMMEDIATE.fullmatch(last):
        change = int(number[1])
        return {"sub": -change, "add": change}.get(name[:3])
    if name == "mov" and last in _FRAME_POINTERS:
        return 0  # back to where the frame pointer was set
    load = _constant(last, instruction, function) if name == "add" else None
    return _signed(listing, load) if load is not None else None


def _listed_bytes(operands: str) -> int:
    found = _LIST.search(operands)
    total = 0
    for part in (found[1] if found else "").split(","):
        first, _, last = part.strip().partition("-")
        count = int(last[1:]) - int(first[1:]) + 1 if last else 1
        total += count * (8 if first.startswith("d") else 16 if first.startswith("q") else 4)
    return total


def _constant(register: str, before: Instruction, function: Function) -> Instruction | None:
    """The load of a constant into `register`, the last one before an instruction."""
    loads = [
        each
        for each in function.instructions
        if each.address < before.address
        and each.mnemonic == "ldr"
        and each.literal is not None
        and each.operands.startswith(f"{register},")
    ]
    return loads[-1] if loads else None


def _signed(listing: Listing, load: Instruction) -> int | None:
    """The 32-bit constant that `load` reads."""
    for function in listing.functions.values():
        for each in function.instructions:
            if each.address == load.literal and each.mnemonic == ".word":
                value = int(each.operands, 16)
                return value - (1 << 32) if value >> 31 else value
    return None


def _callee(
    instruction: Instruction, function: Function, listing: Listing
) -> Function | str | None:
    """The function that an instruction calls or jumps to; a text where nobody knows."""
    name, operands = instruction.mnemonic, instruction.operands
    if instruction.target is not None and _CALL.fullmatch(name):
        callee = listing.functions.get(instruction.target)
        if callee is not None and (callee is not function or name == "bl"):
            return callee
        inside = function.instructions[0].address <= instruction.target
        if inside and instruction.target <= function.instructions[-1].address:
            return None
        return callee or f"'{name}' jumps into the middle of a function"
    if name in _INDIRECT and operands != "lr":
        return f"a call through a pointer ('{name} {operands}')"
    own = "[sp]" in operands or _OWN_PLACE.fullmatch(operands)
    if name in ("ldr", "mov") and operands.startswith("pc,") and not own:
        return f"a jump through a pointer ('{name} {operands}')"
    return None
