"""Cycles of layers from the blocks that ran, and the same instructions as the device counts."""

import shutil
from collections import Counter

import pytest
from shared import shared_model

import tinyml_tool as tt
from tinyml_tool.boards import load_board
from tinyml_tool.devices.execution_trace import ExecutionTrace, Step, trace_execution
from tinyml_tool.errors import DeviceError
from tinyml_tool.toolchain.disassembly import disassemble, parse_listing
from tinyml_tool.verify.cycle_estimate import Regions, estimate_cycles

PROGRAM = """
00000100 <model_invoke>:
     100:\tpush\t{r4, lr}
     102:\tbl\t110 <layer_0>
     106:\tpop\t{r4, pc}

00000110 <layer_0>:
     110:\tmovs\tr0, #3
     112:\tldr\tr1, [r2, #0]
     114:\tsubs\tr0, #1
     116:\tbne.n\t112 <layer_0+0x2>
     118:\tbl\t130 <shared>
     11c:\tbx\tlr

00000120 <main>:
     120:\tbl\t100 <model_invoke>

00000130 <shared>:
     130:\tbx\tlr
"""
TRACE = ExecutionTrace(
    {0x120: 0x120, 0x100: 0x102, 0x110: 0x116, 0x112: 0x116, 0x118: 0x118, 0x130: 0x130,
     0x11C: 0x11C, 0x106: 0x106},
    Counter({
        Step("main", 0x120, 0x100): 1,
        Step("model_invoke", 0x100, 0x110): 1,
        Step("layer_0", 0x110, 0x112): 1,
        Step("layer_0", 0x112, 0x112): 1,
        Step("layer_0", 0x112, 0x118): 1,
        Step("layer_0", 0x118, 0x130): 1,
        Step("layer_0", 0x130, 0x11C): 1,
        Step("layer_0", 0x11C, 0x106): 1,
        Step("model_invoke", 0x106, 0x124): 1,
    }),
)  # fmt: skip


def test_a_layer_costs_what_its_blocks_do_and_what_they_call():
    estimate = estimate_cycles(TRACE, parse_listing(PROGRAM), "cortex-m4")
    layer = estimate.layers[0]
    # movs; three turns of load, subtraction and branch; call and return; return.
    assert layer.instructions == 1 + 3 * 3 + 2 + 1
    assert layer.cycles == 1 + 2 * (2 + 1 + 3) + (2 + 1 + 1) + (3 + 3) + 3
    assert layer.taken == 2 + 3
    assert estimate.total.instructions == layer.instructions + 3


def test_wait_states_are_added_where_the_program_jumps():
    listing = parse_listing(PROGRAM)
    none, five = (estimate_cycles(TRACE, listing, "cortex-m4", wait) for wait in (0, 5))
    assert five.total.cycles - none.total.cycles == 5 * none.total.taken


def test_code_that_no_layer_owns_belongs_to_its_caller():
    regions = Regions.of(parse_listing(PROGRAM))
    assert [regions(place) for place in (0x114, 0x130, 0x106)] == ["layer_0", None, "model_invoke"]


def test_a_core_without_a_model_has_no_estimate():
    assert estimate_cycles(TRACE, parse_listing(PROGRAM), "rv32imc") is None


def test_a_board_that_qemu_does_not_emulate_has_no_trace(tmp_path):
    with pytest.raises(DeviceError, match="not emulated by QEMU"):
        trace_execution(tmp_path / "x.elf", load_board("renode-nucleo_h743zi"), lambda _: None)


@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="needs QEMU")
@pytest.mark.parametrize("board", ["qemu-m0", "qemu-m3", "qemu-m4", "qemu-m55"])
def test_the_trace_has_the_instructions_that_the_device_counts(tmp_path, board):
    model = shared_model("kws_ref_model.tflite")
    project = tt.generate(model, board=board, output=tmp_path / "project").project
    profile = tt.profile(project, system="cmake")
    minimal = tt.build(project, system="cmake", program="minimal")
    listing = disassemble(minimal.elf, minimal.compiler)
    trace = trace_execution(minimal.elf, load_board(board), Regions.of(listing))
    estimate = estimate_cycles(trace, listing, load_board(board).core.name)
    # The trace's inputs are the bytes 0, the count's the real value 0: clamps may differ.
    assert estimate.total.instructions == pytest.approx(profile.instructions, rel=1e-3)
    for layer in profile.layers:
        if layer.kernel:
            traced = estimate.layers[layer.layer]
            if layer.kind != "SOFTMAX":
                assert traced.instructions == pytest.approx(layer.instructions, rel=0.01, abs=200)
            assert layer.cycles == traced.cycles
    assert profile.cycles == estimate.total.cycles
    assert profile.cycles_source == estimate.source
