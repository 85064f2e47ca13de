"""Faults on the device become errors that name what happened, and where."""

from __future__ import annotations

import re

import pytest
from selftest_firmware import BOARDS, SOURCES, STACK_BYTES, BuildFor, fault_of

from tinyml_tool.boards import Board
from tinyml_tool.errors import DeviceFaultError

TELLING = [board for board in BOARDS if board.core.name != "cortex-m0"]
SILENT = [board for board in BOARDS if board.core.name == "cortex-m0"]


def place(function: str) -> str:
    return rf"{function}\(\) at devices/firmware/selftest\.c:\d+"


@pytest.mark.parametrize("board", TELLING, ids=lambda board: board.id)
def test_a_bus_fault_names_address_function_and_line(board: Board, selftest: BuildFor) -> None:
    error = fault_of(board, selftest(board), "bus")
    assert isinstance(error, DeviceFaultError)
    what = r"BusFault \(precise data access\) at address 0x2fadbeec in "
    assert re.fullmatch(f"{board.id}: {what}{place('read_nowhere')}", error.message)


@pytest.mark.parametrize("board", SILENT, ids=lambda board: board.id)
def test_a_core_without_fault_status_names_function_and_line(
    board: Board, selftest: BuildFor
) -> None:
    error = fault_of(board, selftest(board), "bus")
    assert re.search(rf"HardFault \(probably a bad .* in {place('read_nowhere')}", error.message)


def test_the_named_line_is_the_line_of_the_access(m4: Board, selftest: BuildFor) -> None:
    error = fault_of(m4, selftest(m4), "bus")
    number = int(error.message.rsplit(":", 1)[1])
    assert "nowhere" in (SOURCES / "selftest.c").read_text().splitlines()[number - 1]


def test_an_undefined_instruction_is_named(board: Board, selftest: BuildFor) -> None:
    error = fault_of(board, selftest(board), "undefined")
    what = r"(UsageFault|HardFault) \(undefined instruction\) in "
    assert re.search(f"{what}{place('execute_nonsense')}", error.message)


def test_a_call_of_nothing_names_the_caller(board: Board, selftest: BuildFor) -> None:
    error = fault_of(board, selftest(board), "null")
    what = r"(UsageFault|HardFault) \(call of a null function pointer\), from "
    assert re.search(f"{what}{place('call_nobody')}", error.message)


def test_a_fault_with_interrupts_off_is_reported_too(board: Board, selftest: BuildFor) -> None:
    error = fault_of(board, selftest(board), "masked")
    assert re.search(place("read_nowhere"), error.message)


def test_a_stack_overflow_is_named_with_size_and_function(board: Board, selftest: BuildFor) -> None:
    error = fault_of(board, selftest(board), "overflow")
    assert isinstance(error, DeviceFaultError)
    assert f"stack overflow: all {STACK_BYTES:,} bytes of the stack are used" in error.message
    assert re.search(f"in or below {place('descend')}", error.message)


def test_a_frame_that_leaps_over_the_end_of_the_stack_is_caught(
    board: Board, selftest: BuildFor
) -> None:
    error = fault_of(board, selftest(board), "leap")
    assert "stack overflow" in error.message


def test_the_chain_of_calls_is_in_the_details(board: Board, selftest: BuildFor) -> None:
    details = "\n".join(fault_of(board, selftest(board), "null").details)
    calls = re.findall(r"called from (\w+)\(\)", details)
    assert calls[-1] == "port_reset_handler"
    assert "main" in calls


@pytest.mark.parametrize("board", TELLING, ids=lambda board: board.id)
def test_a_lockup_is_explained(board: Board, selftest: BuildFor) -> None:
    error = fault_of(board, selftest(board), "lockup")
    assert isinstance(error, DeviceFaultError)
    assert "lockup (a fault inside a fault handler)" in error.message
