"""What instructions are estimated to cost: the figures of Arm's manuals, applied to the letter."""

import pytest

from tinyml_tool.toolchain.cycle_model import MODELS, cycles
from tinyml_tool.toolchain.disassembly import Instruction


def instruction(text: str) -> Instruction:
    mnemonic, _, operands = text.partition(" ")
    return Instruction(0, mnemonic, operands)


def cost(core: str, text: str, before: str = "nop", *, taken: bool = True) -> int:
    return cycles(MODELS[core], instruction(text), instruction(before), taken=taken)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # M0, M0+, M3, M4
        ("adds r0, r1, r2", (1, 1, 1, 1)),
        ("muls r0, r1", (1, 1, 1, 1)),
        ("ldr r0, [r1, #4]", (2, 2, 2, 2)),
        ("ldrsb r0, [r1, r2]", (2, 2, 2, 2)),
        ("strb r0, [r1, #0]", (2, 2, 1, 1)),
        ("push {r4, r5, lr}", (4, 4, 4, 4)),
        ("pop {r4, r5}", (3, 3, 3, 3)),
        ("pop {r4, r5, pc}", (7, 6, 6, 6)),
        ("ldmia r0!, {r1, r2, r3, r4}", (5, 5, 5, 5)),
        ("bl 100 <f>", (4, 3, 3, 3)),
        ("bx lr", (3, 2, 3, 3)),
        ("bne 100 <f>", (3, 2, 3, 3)),
    ],
)
def test_instructions_of_all_cores(text, expected):
    cores = ("cortex-m0", "cortex-m0plus", "cortex-m3", "cortex-m4")
    assert tuple(cost(core, text) for core in cores) == expected


@pytest.mark.parametrize(
    ("text", "m3", "m4"),
    [
        ("mla r0, r1, r2, r3", 2, 1),
        ("smull r0, r1, r2, r3", 4, 1),
        ("smlal r0, r1, r2, r3", 6, 1),
        ("sdiv r0, r1, r2", 8, 8),
        ("smlad r0, r1, r2, r3", 1, 1),
        ("ldrd r0, r1, [r2]", 3, 3),
        ("strd r0, r1, [r2], #8", 3, 3),
        ("ldmia.w r0!, {r1-r4, r8}", 6, 6),
        ("vpush {d8-d9}", 5, 5),
        ("cbz r0, 100 <f>", 3, 3),
    ],
)
def test_instructions_of_armv7m(text, m3, m4):
    assert (cost("cortex-m3", text), cost("cortex-m4", text)) == (m3, m4)


def test_a_branch_that_is_not_taken_costs_one_cycle():
    assert cost("cortex-m4", "bne 100 <f>", taken=False) == 1


def test_loads_behind_one_another_overlap_where_the_core_can():
    pair = ("ldr r0, [r1, #4]", "ldr r2, [r1, #0]")
    assert [cost(core, *pair) for core in ("cortex-m0", "cortex-m3", "cortex-m4")] == [2, 1, 1]
    assert cost("cortex-m4", "ldr r0, [r1, #4]", "str r2, [r1, #0]") == 1
    assert cost("cortex-m4", "ldr r0, [r1, #4]", "ldmia r2!, {r3, r4}") == 2


def test_vector_instructions_of_both_kinds_overlap():
    load, product = "vldrb.u8 q0, [r0], #16", "vmladava.s8 r2, q0, q1"
    assert cost("cortex-m55", load) == 2
    assert cost("cortex-m55", product, load) == 1
    assert cost("cortex-m55", load, product) == 1
    assert cost("cortex-m55", product, product) == 2


def test_every_model_tells_its_source_or_that_it_assumes():
    for core, model in MODELS.items():
        assert "TRM" in model.source or model.source.startswith("assumed"), core
