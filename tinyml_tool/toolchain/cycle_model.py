"""An estimate of what an instruction costs on a core, in cycles, beside the count of instructions.

The figures are of Arm's technical reference manuals for memory without wait states; where a manual
gives a range, the figure and the reason stand at the entry.  Arm publishes no such table for M7,
M33 and M55: their entries are assumptions, and say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from tinyml_tool.toolchain.disassembly import Instruction

_BRANCH = re.compile(r"b(eq|ne|cs|cc|hs|lo|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?")
_LOOP = ("le", "wls", "dls", "wlstp", "dlstp", "letp")
_SINGLE = re.compile(r"(ldr|str)(b|h|sb|sh)?(t)?(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)?")
_LONG = ("smull", "umull")
_LONG_ACCUMULATE = ("smlal", "umlal", "umaal")
_ACCUMULATE = ("mla", "mls")
_VECTOR_TYPE = re.compile(r"\.(i|s|u|f|p)?(8|16|32|64)\b")


@dataclass(frozen=True)
class CycleModel:
    """Cycles of instruction classes on one core."""

    source: str
    """Where the figures are from, and what is assumed."""
    load: int
    load_after_access: int
    """Of a single load right behind a single load or store, where the two overlap."""
    store: int
    taken: int
    """Of a branch that is taken, the refill included; one that is not takes 1."""
    call: int
    back: int
    """Of BX and BLX."""
    pop_pc: int
    """Added to the 1 + N of a POP that loads the program counter."""
    multiply_accumulate: int = 1
    long_multiply: int = 1
    long_accumulate: int = 1
    divide: int = 1
    per_register: int = 1
    """Of LDM, STM, LDRD and STRD, behind the first cycle."""
    first_of_multiple: int = 1
    vector: int = 1
    """Of a vector instruction."""
    vector_after_other: int = 1
    """Of one right behind a vector instruction of the other kind: access or arithmetic."""


_M3 = CycleModel(
    "Cortex-M3 TRM (Arm 100165), table 3-1 and section 3.3.2; pipeline refill 2 of 1 to 3, "
    "long multiplication 4 of 3 to 5, with accumulation 6 of 4 to 7, division 8 of 2 to 12",
    load=2, load_after_access=1, store=1, taken=3, call=3, back=3, pop_pc=2,
    multiply_accumulate=2, long_multiply=4, long_accumulate=6, divide=8,
)  # fmt: skip

MODELS: dict[str, CycleModel] = {
    "cortex-m0": CycleModel(
        "Cortex-M0 TRM (Arm DDI 0432), table 3-1, with the multiplier of one cycle",
        load=2, load_after_access=2, store=2, taken=3, call=4, back=3, pop_pc=3,
    ),
    "cortex-m0plus": CycleModel(
        "Cortex-M0+ TRM (Arm DDI 0484), table 3-1, with the multiplier of one cycle",
        load=2, load_after_access=2, store=2, taken=2, call=3, back=2, pop_pc=2,
    ),
    "cortex-m3": _M3,
    "cortex-m4": CycleModel(
        "Cortex-M4 TRM (Arm 100166), table 3-1 and section 3.3.2; pipeline refill 2 of 1 to 3, "
        "division 8 of 2 to 12",
        load=2, load_after_access=1, store=1, taken=3, call=3, back=3, pop_pc=2, divide=8,
    ),
    "cortex-m7": CycleModel(
        "assumed: one instruction a cycle without the second issue, memory without stalls, "
        "branches predicted, one word a cycle in LDM and STM",
        load=1, load_after_access=1, store=1, taken=1, call=1, back=2, pop_pc=1, divide=8,
        per_register=1, first_of_multiple=0,
    ),
    "cortex-m33": CycleModel(
        "assumed: loads and stores of one cycle, a refill of 1 behind a taken branch",
        load=1, load_after_access=1, store=1, taken=2, call=2, back=2, pop_pc=2, divide=6,
    ),
    "cortex-m55": CycleModel(
        "assumed: as M33; a vector instruction takes two cycles (two beats each), and overlaps by "
        "one with the one before it where one is a load or store and the other is not",
        load=1, load_after_access=1, store=1, taken=2, call=2, back=2, pop_pc=2, divide=6,
        vector=2, vector_after_other=1,
    ),
}  # fmt: skip
"""By the name of the core; for others there is no estimate."""


def cycles(
    model: CycleModel, instruction: Instruction, before: Instruction | None, *, taken: bool
) -> int:
    """What one execution of `instruction` costs right behind `before`.

    `taken` counts for branches.
    """
    name, operands = instruction.mnemonic, instruction.operands
    if _SINGLE.fullmatch(name):
        return _single_access(model, instruction, before)
    if registers := _registers_moved(name, operands):
        back = model.pop_pc if "pc" in operands and not name.startswith(("st", "push")) else 0
        return max(1, model.first_of_multiple + model.per_register * registers) + back
    if _VECTOR_TYPE.search(name) and "q" in operands:
        overlaps = before is not None and _other_kind(before, instruction)
        return model.vector_after_other if overlaps else model.vector
    if _BRANCH.fullmatch(name) or name in ("cbz", "cbnz"):
        return model.taken if taken else 1
    return _fixed(model).get(name, 1)


def _fixed(model: CycleModel) -> dict[str, int]:
    table = {"bl": model.call, "blx": model.back, "bx": model.back}
    table |= dict.fromkeys(_LOOP, 1) | dict.fromkeys(("tbb", "tbh"), model.load + model.taken - 1)
    table |= dict.fromkeys(_ACCUMULATE, model.multiply_accumulate)
    table |= dict.fromkeys(_LONG, model.long_multiply)
    table |= dict.fromkeys(_LONG_ACCUMULATE, model.long_accumulate)
    return table | dict.fromkeys(("sdiv", "udiv"), model.divide)


def _single_access(model: CycleModel, instruction: Instruction, before: Instruction | None) -> int:
    if instruction.mnemonic.startswith("str"):
        return model.store
    cost = model.load
    if before is not None and _SINGLE.fullmatch(before.mnemonic):
        cost = model.load_after_access
    return cost + (model.taken - 1 if instruction.operands.startswith("pc,") else 0)


def _registers_moved(name: str, operands: str) -> int:
    """Words that an instruction of several registers moves; 0 for others."""
    if name in ("ldrd", "strd"):
        return 2
    if not name.startswith(("push", "pop", "ldm", "stm", "vpush", "vpop", "vldm", "vstm")):
        return 0
    listed = operands[operands.index("{") + 1 : operands.index("}")].split(",")
    total = 0
    for part in listed:
        first, _, last = part.strip().partition("-")
        count = int(last[1:]) - int(first[1:]) + 1 if last else 1
        total += count * (2 if first.startswith("d") else 1)
    return total


def _other_kind(one: Instruction, other: Instruction) -> bool:
    """Whether both are vector instructions, and just one of them goes to memory."""
    if not (_VECTOR_TYPE.search(one.mnemonic) and "q" in one.operands):
        return False
    accesses = [each.mnemonic.startswith(("vldr", "vstr", "vld", "vst")) for each in (one, other)]
    return accesses[0] != accesses[1]
