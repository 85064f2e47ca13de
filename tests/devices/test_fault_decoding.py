"""Fault reports of any kind become words: bits, addresses, and lines cut anywhere."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_tool.devices.faults import Fault, fault_error, parse_fault, parse_lockup
from tinyml_tool.devices.recording import Recording

LINE = (
    "!fault kind=bus exception=0x00000003 cfsr=0x00008200 hfsr=0x40000000 mmfar=0x00000000 "
    "bfar=0xdeadbeec pc=0x08000e74 lr=0x0800102b psr=0x610f0000 sp=0x20000798 stack=0x00000800 "
    "calls=0x080008c9,0x08000915"
)
FAULT = Fault(
    kind="bus",
    exception=3,
    cfsr=0x8200,
    hfsr=0x40000000,
    bfar=0xDEADBEEC,
    pc=0x08000E74,
    lr=0x0800102B,
    psr=0x610F0000,
    sp=0x20000798,
    stack=2048,
    calls=(0x080008C9, 0x08000915),
)
ARMV6M_LINE = (
    "!fault kind=hard exception=0x00000003 pc=0x00000bf2 lr=0x00000dbf psr=0x61000000 "
    "sp=0x20000788 stack=0x00000800 calls="
)
LOCKUP = """qemu: fatal: Lockup: can't escalate 3 to HardFault (current priority -1)

R00=00000000 R01=0000000a R02=00000000 R03=20000818
R12=00000000 R13=1fffffc0 R14=fffffff9 R15=00000a72
XPSR=61000003 -ZC- T handler
"""


def test_the_line_of_the_handler_is_read_whole() -> None:
    assert parse_fault(f"  {LINE}\r") == FAULT


def test_the_shorter_line_of_an_armv6m_core_is_read() -> None:
    fault = parse_fault(ARMV6M_LINE)
    assert fault is not None
    assert (fault.kind, fault.pc, fault.cfsr, fault.calls) == ("hard", 0xBF2, 0, ())


@pytest.mark.parametrize(
    "line",
    ["", "all is well", "!fault", "!fault kind=bus", LINE.replace("0x08000e74", "0x0800zzzz")],
)
def test_anything_else_is_no_fault(line: str) -> None:
    assert parse_fault(line) is None


@given(st.integers(0, len(LINE)))
def test_a_damaged_line_never_raises(cut: int) -> None:
    parse_fault(LINE[:cut])
    parse_fault(LINE[:cut] + "\0" + LINE[cut + 1 :])


@given(
    before=st.binary(max_size=200),
    after=st.binary(max_size=50),
    cuts=st.lists(st.integers(0, 500), max_size=12),
)
def test_the_line_is_found_in_any_stream_however_it_is_cut(
    before: bytes, after: bytes, cuts: list[int]
) -> None:
    stream = before + b"\n" + LINE.encode() + b"\r\n" + after
    recording = Recording()
    edges = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    for start, end in pairwise(edges):
        recording.feed(stream[start:end])
    assert recording.fault == FAULT


def test_no_fault_is_seen_before_the_line_is_whole() -> None:
    recording = Recording()
    recording.feed(LINE.encode())
    assert recording.fault is None
    recording.feed(b"\n")
    assert recording.fault == FAULT


def test_a_long_line_without_an_end_is_not_kept_for_ever() -> None:
    recording = Recording()
    for _ in range(100):
        recording.feed(b"!fault " + b"x" * 10_000)
    recording.feed(b"\n" + LINE.encode() + b"\n")
    assert recording.fault == FAULT


def test_binary_frames_are_left_out_of_the_text() -> None:
    recording = Recording()
    recording.feed(b"hello\r\n\x00\x12\x05abc\x00\nworld\n")
    assert recording.text == "hello\nworld"


def test_the_registers_of_a_lockup_are_read_from_qemus_last_words() -> None:
    fault = parse_lockup(LOCKUP)
    assert fault is not None
    assert (fault.kind, fault.sp, fault.lr, fault.pc) == ("lockup", 0x1FFFFFC0, 0xFFFFFFF9, 0xA72)
    assert parse_lockup("qemu-system-arm: terminating on signal 15") is None


@pytest.mark.parametrize(
    ("bit", "words"),
    [
        (0, "MemManage (instruction fetch from a place without code)"),
        (1, "MemManage (data access that the memory protection forbids)"),
        (8, "BusFault (instruction fetch)"),
        (10, "BusFault (imprecise data access: the place is a little before the one named)"),
        (16, "UsageFault (undefined instruction)"),
        (18, "UsageFault (wrong exception return)"),
        (19, "UsageFault (coprocessor or FPU that is off or missing)"),
        (24, "UsageFault (unaligned access)"),
        (25, "UsageFault (division by zero)"),
    ],
)
def test_each_status_bit_has_its_words(bit: int, words: str) -> None:
    error = fault_error(replace(FAULT, cfsr=1 << bit))
    assert error.message == f"{words} in 0x08000e74"


def test_a_protected_address_is_named() -> None:
    error = fault_error(replace(FAULT, cfsr=0x82, mmfar=0x12345678))
    assert "at address 0x12345678 in" in error.message


def test_a_secure_fault_is_named() -> None:
    error = fault_error(replace(FAULT, kind="secure", cfsr=0, sfsr=0x48, sfar=0x40001000))
    assert error.message.startswith(
        "SecureFault (access to non-secure memory that the attribution unit forbids) "
        "at address 0x40001000"
    )


def test_an_unreadable_vector_table_is_named() -> None:
    error = fault_error(replace(FAULT, cfsr=0, hfsr=2, kind="hard"))
    assert "HardFault (vector table not readable)" in error.message


def test_an_interrupt_without_a_handler_is_named() -> None:
    error = fault_error(Fault(kind="unexpected", exception=11, pc=0x1000, lr=0x1001))
    assert "unexpected exception 11" in error.message


def test_a_stack_overflow_tells_the_size_and_what_to_do() -> None:
    error = fault_error(replace(FAULT, kind="stack-overflow"))
    assert error.message.startswith("stack overflow: all 2,048 bytes of the stack are used")
    assert "give the stack more bytes" in (error.hint or "")


def test_the_details_hold_the_registers_and_every_reason() -> None:
    details = "\n".join(fault_error(replace(FAULT, cfsr=0x8212)).details)
    assert "pc=0x08000e74 lr=0x0800102b sp=0x20000798" in details
    assert "BusFault: precise data access" in details
    assert "MemManage: data access that the memory protection forbids" in details
