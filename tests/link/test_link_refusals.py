"""What the device refuses, at the level of single requests."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import pytest
from link_device import EMULATED, QUICK, SMALL_BOARD, StartDevice
from link_fake_model import OUTPUT_0, random_inputs

from tinyml_tool.devices.link.diagnosis import RefusedError
from tinyml_tool.devices.link.exchange import Exchange
from tinyml_tool.protocol import (
    CONTINUE,
    GET_LAYER,
    GET_OUTPUT,
    INPUT_INFO,
    OUTPUT_INFO,
    RUN,
    SET_INPUT,
    Empty,
    GetLayerRequest,
    GetOutputRequest,
    Paused,
    Request,
    RunFlag,
    RunRequest,
    SetInputRequest,
    Status,
    TensorRequest,
)

SAMPLES, SETTINGS = (array.tobytes() for array in random_inputs(0))
CRC = zlib.crc32(SAMPLES + SETTINGS)


@pytest.fixture
def exchange(start_device: StartDevice) -> Exchange:
    exchange = Exchange(start_device(EMULATED), QUICK)
    exchange.open()
    return exchange


def refusal(exchange: Exchange, request: Request[Any, Any], payload: object) -> Status:
    with pytest.raises(RefusedError) as caught:
        exchange.call_pausing(request, payload)
    return caught.value.status


def set_inputs(exchange: Exchange) -> None:
    exchange.call(SET_INPUT, SetInputRequest(0, 0, SAMPLES))
    exchange.call(SET_INPUT, SetInputRequest(1, 0, SETTINGS))


def run(exchange: Exchange, flags: int = 0) -> object:
    set_inputs(exchange)
    return exchange.call_pausing(RUN, RunRequest(flags, CRC))


@pytest.mark.parametrize("request_kind", [INPUT_INFO, OUTPUT_INFO], ids=["input", "output"])
def test_a_tensor_that_does_not_exist(exchange: Exchange, request_kind: Any) -> None:
    assert refusal(exchange, request_kind, TensorRequest(2)) == Status.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("index", "offset", "length"),
    [(2, 0, 1), (0, 700, 1), (0, 699, 2), (0, 0, 701), (1, 13, 0), (1, 2**32 - 1, 2)],
)
def test_bytes_outside_an_input(exchange: Exchange, index: int, offset: int, length: int) -> None:
    request = SetInputRequest(index, offset, bytes(length))
    assert refusal(exchange, SET_INPUT, request) == Status.OUT_OF_RANGE


def test_the_edges_of_an_input_are_inside(exchange: Exchange) -> None:
    exchange.call(SET_INPUT, SetInputRequest(0, 700, b""))
    exchange.call(SET_INPUT, SetInputRequest(0, 699, b"x"))


def test_a_run_on_inputs_that_were_never_set(exchange: Exchange) -> None:
    assert refusal(exchange, RUN, RunRequest(0, CRC)) == Status.INPUTS_DIFFER


def test_a_run_on_other_inputs_than_the_host_means(exchange: Exchange) -> None:
    set_inputs(exchange)
    exchange.call(SET_INPUT, SetInputRequest(0, 5, bytes([SAMPLES[5] ^ 1])))
    assert refusal(exchange, RUN, RunRequest(0, CRC)) == Status.INPUTS_DIFFER


def test_a_second_run_on_inputs_that_the_first_has_used(exchange: Exchange) -> None:
    run(exchange)
    assert refusal(exchange, RUN, RunRequest(0, CRC)) == Status.INPUTS_DIFFER


@pytest.mark.parametrize(
    ("index", "offset", "length"),
    [(2, 0, 1), (0, OUTPUT_0, 1), (0, 299, 2), (0, 301, 0), (1, 2**32 - 1, 2)],
)
def test_bytes_outside_an_output(exchange: Exchange, index: int, offset: int, length: int) -> None:
    run(exchange)
    request = GetOutputRequest(index, offset, length)
    assert refusal(exchange, GET_OUTPUT, request) == Status.OUT_OF_RANGE


def test_more_than_a_payload_holds(start_device: StartDevice) -> None:
    exchange = Exchange(start_device(SMALL_BOARD), QUICK)
    exchange.open()
    for start in range(0, 700, 240):
        exchange.call(SET_INPUT, SetInputRequest(0, start, SAMPLES[start : start + 240]))
    exchange.call(SET_INPUT, SetInputRequest(1, 0, SETTINGS))
    exchange.call(RUN, RunRequest(0, CRC))
    assert len(exchange.call(GET_OUTPUT, GetOutputRequest(0, 0, 256)).data) == 256
    assert refusal(exchange, GET_OUTPUT, GetOutputRequest(0, 0, 257)) == Status.OUT_OF_RANGE


def test_an_output_before_any_run(exchange: Exchange) -> None:
    assert refusal(exchange, GET_OUTPUT, GetOutputRequest(0, 0, 1)) == Status.NO_RESULT


@pytest.mark.parametrize(
    "disturb",
    [
        lambda exchange: exchange.call(SET_INPUT, SetInputRequest(0, 0, b"x")),
        lambda exchange: run(exchange, RunFlag.OBSERVE) and exchange.open(),
    ],
    ids=["an input was set", "another run was aborted"],
)
def test_an_output_that_something_has_overwritten(
    exchange: Exchange, disturb: Callable[[Exchange], object]
) -> None:
    run(exchange)
    disturb(exchange)
    assert refusal(exchange, GET_OUTPUT, GetOutputRequest(0, 0, 1)) == Status.NO_RESULT


@pytest.mark.parametrize(("offset", "length"), [(900, 1), (899, 2), (901, 0), (2**32 - 1, 2)])
def test_bytes_outside_a_layer(exchange: Exchange, offset: int, length: int) -> None:
    assert isinstance(run(exchange, RunFlag.OBSERVE), Paused)
    request = GetLayerRequest(offset, length)
    assert refusal(exchange, GET_LAYER, request) == Status.OUT_OF_RANGE


@pytest.mark.parametrize(
    ("request_kind", "payload"),
    [(CONTINUE, Empty()), (GET_LAYER, GetLayerRequest(0, 1))],
    ids=["CONTINUE", "GET_LAYER"],
)
def test_what_needs_a_paused_run(exchange: Exchange, request_kind: Any, payload: object) -> None:
    assert refusal(exchange, request_kind, payload) == Status.NOT_PAUSED
