"""The link in real firmware on emulated boards: the UART, the file lane, the count, the restart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from project_case import small_model

import tinyml_tool as tt
from tinyml_tool.boards import Board, load_board
from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.qemu import QemuDevice

BOARDS = ("qemu-m0", "qemu-m4", "netduinoplus2")
INPUTS = [np.arange(-4, 4, dtype=np.int8).reshape(1, 8)]


@dataclass(frozen=True)
class Firmware:
    board: Board
    elf: Path


@pytest.fixture(scope="module", params=BOARDS)
def firmware(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    folder = tmp_path_factory.mktemp(request.param)
    model = folder / "small.tflite"
    model.write_bytes(small_model())
    tt.generate(model, board=request.param, output=folder / "project")
    return Firmware(load_board(request.param), tt.build(folder / "project", system="cmake").elf)


@pytest.fixture
def client(firmware: Firmware, tmp_path: Path) -> Iterator[LinkClient]:
    with (
        QemuDevice(firmware.board, firmware.elf, directory=tmp_path, time_limit=60) as device,
        LinkClient(device.stream) as client,
    ):
        yield client


def test_the_firmware_says_what_it_is(firmware: Firmware, client: LinkClient) -> None:
    hello = client.hello()
    assert (hello.board, hello.engine, hello.model_name) == (firmware.board.id, "aot", "small")
    assert 0 < hello.stack_high_water < hello.stack_bytes
    assert hello.receive_overruns == 0


def test_wire_and_file_lane_give_the_same_layers(client: LinkClient, tmp_path: Path) -> None:
    outputs, layers = client.run_observed(INPUTS)
    bulk = client.run_bulk([INPUTS], tmp_path, seen_as="", layers=True).inferences[0]
    assert bulk.layers == layers != {}
    assert bulk.outputs == [output.tobytes() for output in outputs]


def test_no_byte_is_lost_on_the_way(client: LinkClient) -> None:
    first = client.run(INPUTS)[0]
    at_start = client.statistics.sent_again  # HELLO may come before the UART is switched on
    for _ in range(20):
        np.testing.assert_array_equal(client.run(INPUTS)[0], first)
    assert client.statistics.sent_again == at_start


def test_the_count_of_instructions_is_the_same_at_every_start(
    firmware: Firmware, client: LinkClient
) -> None:
    first = client.benchmark(8).instructions
    with QemuDevice(firmware.board, firmware.elf) as device, LinkClient(device.stream) as other:
        counts = {other.benchmark(8).instructions for _ in range(3)}
    assert first is not None
    assert counts == {first}


def test_a_restart_is_a_new_beginning(client: LinkClient) -> None:
    first = client.run(INPUTS)[0]
    client.restart()
    assert client.text.count("tinyml: model") == 2
    np.testing.assert_array_equal(client.run(INPUTS)[0], first)


def test_a_person_gets_an_answer(firmware: Firmware) -> None:
    with QemuDevice(firmware.board, firmware.elf) as device:
        read_until(device, "type help\r\n")  # before it, the UART may not be switched on
        device.stream.write(b"info\rrun\r")
        text = read_until(device, "time: ")
    assert f"board    {firmware.board.id}" in text
    assert "output 0[3] = " in text


def read_until(device: QemuDevice, end: str) -> str:
    text = ""
    while end not in text:
        data = device.stream.read(4096, 10)
        assert data, text
        text += data.decode().replace("\0", "")
    return text
