"""The UART drivers: nothing is lost, nothing is awaited in vain."""

from __future__ import annotations

import random

import pytest
from selftest_firmware import BOARDS, BuildFor, number, read_to_end, read_until

from tinyml_tool.boards import Board
from tinyml_tool.devices.qemu import QemuDevice

DATA = random.Random(7).randbytes(32 * 1024)


def exchange(board: Board, selftest: BuildFor, scenario: str, *, counted: bool) -> bytes:
    """What the firmware answers to DATA, after it said that it is ready."""
    with QemuDevice(
        board, selftest(board), arguments=scenario, count_instructions=counted, time_limit=60
    ) as device:
        received = read_until(device, b"ready\n")
        device.stream.write(len(DATA).to_bytes(4, "big") + DATA)
        rest, _ = read_to_end(device)
    return (received + rest).split(b"ready\n", 1)[1]


def test_every_byte_comes_back(board: Board, selftest: BuildFor) -> None:
    answer = exchange(board, selftest, "echo", counted=True)
    assert answer == DATA + b"overruns=0\ndone\n"


@pytest.mark.parametrize("board", [b for b in BOARDS if b.chip != "generic"], ids=lambda b: b.id)
def test_every_byte_comes_back_in_host_time_too(board: Board, selftest: BuildFor) -> None:
    answer = exchange(board, selftest, "echo", counted=False)
    assert answer == DATA + b"overruns=0\ndone\n"


def test_bytes_wait_while_the_firmware_is_busy_and_its_buffer_is_full(
    board: Board, selftest: BuildFor
) -> None:
    answer = exchange(board, selftest, "late", counted=True).decode()
    expected = 0
    for byte in DATA:
        expected = (expected * 31 + byte) % 2**32
    assert number(answer, "sum") == expected
    assert number(answer, "overruns") == 0


def wake_up(board: Board, selftest: BuildFor, *, counted: bool) -> str:
    """What a firmware that sleeps until a byte comes prints afterwards."""
    with QemuDevice(
        board, selftest(board), arguments="sleep", count_instructions=counted, time_limit=20
    ) as device:
        read_until(device, b"asleep\n")
        assert device.stream.read(100, 0.1) == b""
        device.stream.write(b"x")
        return read_to_end(device)[0].decode()


def test_a_sleeping_core_wakes_up_for_a_byte(board: Board, selftest: BuildFor) -> None:
    assert number(wake_up(board, selftest, counted=True), "waits") <= 2


def test_a_sleeping_core_wakes_up_in_host_time_too(m4: Board, selftest: BuildFor) -> None:
    assert number(wake_up(m4, selftest, counted=False), "waits") <= 2
