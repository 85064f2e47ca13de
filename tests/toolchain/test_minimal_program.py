"""The smallest program around a model: it really runs the model."""

import re
import shutil
import subprocess
import time

import numpy as np
import pytest
from project_case import small_model, small_plan, small_project

from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.build import build_project

needs_qemu = pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="needs QEMU")


def memory_after_running(elf, machine, address, count):
    """Bytes of the emulated board's memory once the program has had time to end."""
    process = subprocess.Popen(
        ["qemu-system-arm", "-machine", machine, "-display", "none", "-serial", "none",
         "-monitor", "stdio", "-kernel", str(elf)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    time.sleep(0.5)
    said, _ = process.communicate(f"xp /{count}xb 0x{address:x}\nquit\n", timeout=20)
    dump = re.findall(r"^[0-9a-f]{16}: ((?:0x[0-9a-f]{2} ?)+)", said, re.MULTILINE)
    return [int(byte, 16) for line in dump for byte in line.split()]


@needs_qemu
@pytest.mark.parametrize("board", ["qemu-m4", "qemu-m55", "netduinoplus2"])
def test_the_minimal_program_computes_the_output(tmp_path, board):
    directory, board = small_project(tmp_path / "project", board)
    firmware = build_project(directory, board, "cmake", program="minimal")
    arena = next(s for s in firmware.facts.symbols if s.name in ("arena", "model_arena"))
    plan = small_plan(board.id)
    (output,) = plan.graph.outputs
    address = arena.address + plan.memory.tensors[output].offset
    found = memory_after_running(firmware.elf, board.emulator.machine, address, 4)
    # Start-up fills the arena with zeros, so that is the input.
    (expected,) = TflmReference(small_model(), "small").run([np.zeros((1, 8), np.int8)])
    assert expected.any()
    assert np.array(found, np.uint8).view(np.int8).tolist() == expected.ravel().tolist()
