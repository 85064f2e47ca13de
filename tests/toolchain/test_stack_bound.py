"""How much stack a program takes at most: told from its instructions, never less than is used."""

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from shared import shared_model

import tinyml_tool as tt
from tinyml_tool.boards import load_board
from tinyml_tool.devices.symbols import Symbols
from tinyml_tool.toolchain.build import build_project
from tinyml_tool.toolchain.compilers import find_compiler
from tinyml_tool.toolchain.disassembly import disassemble, parse_listing
from tinyml_tool.toolchain.stack_bound import stack_bound

BOARDS = ["qemu-m0", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55"]
PAINT = b"\xce\xfa\xde\xc0"
FIRST_STATEMENT = "  const uint32_t *from = port_data_load;\n"
PAINTING = """  extern uint32_t port_stack_limit[];
  const uintptr_t here = (uintptr_t)__builtin_frame_address(0) - 32u;
  for (volatile uint32_t *word = port_stack_limit; (uintptr_t)word < here; word++) {
    *word = 0xC0DEFACEu;
  }
"""


def bound_of(*functions: str):
    """Of the first of some functions, given as lines of `name: instruction; instruction`."""
    lines, address = [], 0x100
    places = {}
    for text in functions:
        name, _, code = text.partition(":")
        places[name] = address
        address += 4 * (code.count(";") + 1)
    for text in functions:
        name, _, code = text.partition(":")
        lines.append(f"{places[name]:08x} <{name}>:")
        for position, instruction in enumerate(code.split(";")):
            mnemonic, _, operands = instruction.strip().partition(" ")
            for callee, place in places.items():
                operands = operands.replace(f"<{callee}>", f"{place:x} <{callee}>")
            lines.append(f"     {places[name] + 4 * position:x}:\t{mnemonic}\t{operands}")
    return stack_bound(parse_listing("\n".join(lines)), functions[0].partition(":")[0])


@pytest.mark.parametrize(
    ("code", "taken"),
    [
        ("push {r4, r5, lr}; pop {r4, r5, pc}", 12),
        ("push {r4-r7, lr}; pop {r4-r7, pc}", 20),
        ("stmdb sp!, {r4, r5, r6, r7, r8, r9, sl, fp, lr}; bx lr", 36),
        ("vpush {d8-d15}; vpop {d8-d15}; bx lr", 64),
        ("vpush {s16, s17}; bx lr", 8),
        ("sub sp, #24; add sp, #24; bx lr", 24),
        ("sub.w sp, sp, #1024\t@ 0x400; bx lr", 1024),
        ("str.w r8, [sp, #-8]!; ldr.w r8, [sp], #8; bx lr", 8),
        ("strd r4, r5, [sp, #-16]!; bx lr", 16),
        ("str r0, [sp, #4]; cmp sp, r0; bx lr", 0),
        ("ldr r4, [pc, #4]\t@ (10c <f+0xc>); add sp, r4; bx lr; .word 0xfffffdf4", 524),
    ],
)
def test_every_way_to_take_stack_is_counted(code, taken):
    assert bound_of(f"f: {code}").bytes == taken


def test_the_deepest_chain_of_calls_counts():
    found = bound_of(
        "f: push {r4, lr}; bl <g>; bl <h>; pop {r4, pc}",
        "g: push {r4, r5, r6, lr}; pop {r4, r5, r6, pc}",
        "h: push {lr}; bl <g>; pop {pc}",
    )
    assert found.bytes == 8 + 4 + 16
    assert [frame.function for frame in found.path] == ["f", "h", "g"]


def test_a_jump_to_another_function_counts_as_a_call():
    assert bound_of("f: push {r4, lr}; b <g>", "g: sub sp, #40; bx lr").bytes == 48


def test_a_function_that_runs_on_into_the_next_takes_that_one_s_stack_too():
    assert bound_of("f: sub sp, #8; nop", "g: sub sp, #40; bx lr").bytes == 48


@pytest.mark.parametrize(
    ("functions", "reason"),
    [
        (["f: bl <g>; bx lr", "g: bl <f>; bx lr"], "recursion: f -> g -> f"),
        (["f: bl <f>; bx lr"], "recursion: f -> f"),
        (["f: blx r3; bx lr"], "call through a pointer"),
        (["f: bl <g>; bx lr", "g: bx r1"], "g: a call through a pointer"),
        (["f: ldr.w pc, [r3, r2, lsl #2]"], "jump through a pointer"),
        (["f: sub.w sp, sp, r3; bx lr"], "known only when it runs"),
        (["f: mov sp, r2; bx lr"], "known only when it runs"),
        (["f: sub.w sp, r7, r3; bx lr"], "known only when it runs"),
    ],
)
def test_where_there_is_no_bound_the_reason_is_told(functions, reason):
    found = bound_of(*functions)
    assert found.bytes is None
    assert reason in (found.reason or "")


def test_a_function_that_is_not_there_has_no_bound():
    assert "no function g" in (stack_bound(parse_listing(""), "g").reason or "")


SOURCE = """
#include <string.h>
extern void use(void *);
extern float some(float, float);
int leaf(int a) { return a + 1; }
void small(void) { char x[20]; use(x); }
void large(void) { char x[3000]; use(x); }
void huge(void) { char x[70000]; use(x); }
float floats(float a, float b, float c) { return some(a, b) * some(b, c) + some(a, c) * a * b * c; }
long long wide(long long a, long long b, int c) { return a / b * c; }
void copy(char *to) { char x[300]; memset(x, 0, sizeof x); use(x); memcpy(to, x, sizeof x); }
int many(int a, int b, int c, int d, int *p)
{
  int s = 0;
  for (int i = 0; i < a; i++) {
    s += p[i] * p[i + b] + p[i + c] * p[i + d] + p[2 * i] * p[3 * i] - p[4 * i + a * b * c * d];
    use(&s);
  }
  return s;
}
"""


@pytest.mark.parametrize("level", ["-O2", "-Os", "-O0"])
@pytest.mark.parametrize("board", ["qemu-m0", "qemu-m3", "qemu-m4", "qemu-m55"])
def test_frames_are_those_that_gcc_tells(tmp_path, board, level):
    source, compiler = tmp_path / "f.c", find_compiler()
    source.write_text(SOURCE)
    flags = [level, "-fstack-usage", "-ffunction-sections", *load_board(board).core.gcc_flags]
    subprocess.run([compiler.program, *flags, "-c", "f.c"], cwd=tmp_path, check=True)
    # Linked, so that calls have targets.
    stubs = "-Wl,--defsym=use=0x100,--defsym=some=0x104,--unresolved-symbols=ignore-all"
    link = ["-nostdlib", "-Wl,-e,leaf", "-Wl,-Ttext=0x8000", stubs, "f.o", "-o", "f.elf"]
    subprocess.run([compiler.program, *flags[3:], *link], cwd=tmp_path, check=True)
    listing = disassemble(tmp_path / "f.elf", compiler)
    told = {}
    for line in (tmp_path / "f.su").read_text().splitlines():
        place, size, kind = line.split("\t")
        assert kind == "static"
        told[place.rpartition(":")[2]] = int(size)
    assert len(told) == 8
    for name, size in told.items():
        function = listing.named(name)
        alone = parse_listing("")  # without callees, a function is its own frame
        calls = [i for i in function.instructions if i.mnemonic not in ("bl", "b")]
        own = type(function)(name, function.address, tuple(calls))
        found = stack_bound(type(alone)({**listing.functions, function.address: own}), name)
        assert found.bytes == size, name


def most_stack_used(elf: Path, board) -> int:
    """Bytes of the painted stack that the minimal program has written to when it is at its end."""
    symbols = Symbols(elf)
    limit, top = symbols.value("port_stack_limit"), symbols.value("port_stack_top")
    dump = elf.with_name("stack.bin")
    with subprocess.Popen(
        ["qemu-system-arm", "-machine", board.emulator.machine, "-display", "none",
         "-serial", "none", "-monitor", "stdio", "-kernel", str(elf),],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as qemu:  # fmt: skip
        # At its end it jumps to where it is, for ever.
        places = [0]
        while len(places) < 5 or len(set(places[-5:])) > 1:
            assert len(places) < 300, "the program does not end"
            time.sleep(0.1)
            places.append(program_counter(qemu))
        qemu.communicate(f'memsave 0x{limit:x} {top - limit} "{dump}"\nquit\n', timeout=20)
    words = dump.read_bytes()
    used = [at for at in range(0, len(words), 4) if words[at : at + 4] != PAINT]
    return len(words) - min(used)


def program_counter(qemu) -> int:
    qemu.stdin.write("info registers\n")
    qemu.stdin.flush()
    for line in qemu.stdout:
        if found := re.search(r"R15=([0-9a-f]{8})", line):
            return int(found[1], 16)
    pytest.fail("QEMU ended")


@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="needs QEMU")
@pytest.mark.parametrize("board", BOARDS)
def test_a_program_never_uses_more_stack_than_its_bound(tmp_path, board):
    """Of the whole program: reset, start-up, initialisation and one inference."""
    model = shared_model("kws_ref_model.tflite")
    generated = tt.generate(model, board=board, output=tmp_path / "project")
    built = load_board(board)
    program = generated.project / "minimal" / "minimal.c"
    text = program.read_text()
    assert FIRST_STATEMENT in text
    program.write_text(text.replace(FIRST_STATEMENT, PAINTING + FIRST_STATEMENT))
    firmware = build_project(generated.project, built, "cmake", program="minimal")
    bound = stack_bound(disassemble(firmware.elf, firmware.compiler), "port_reset_handler")
    used = most_stack_used(firmware.elf, built)
    assert bound.bytes is not None, bound.reason
    assert 0 < used <= bound.bytes
    # What may be between them: registers pushed on another path, and what lies there unwritten.
    assert bound.bytes - used <= 64
    assert firmware.model_stack.bytes is not None
    assert firmware.model_stack.bytes < bound.bytes


def test_engine_tflm_calls_through_pointers_and_has_no_bound():
    # What a method table compiles to on a Cortex-M4.
    found = bound_of("model_invoke: push {r4, lr}; ldr r3, [r0, #8]; blx r3; pop {r4, pc}")
    assert found.bytes is None
    assert found.reason == "model_invoke: a call through a pointer ('blx r3')"
