"""What a person sees who opens the port in a serial monitor."""

from __future__ import annotations

import math
import re
import time
import zlib
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from link_device import EMULATED, QUICK, SMALL_BOARD, DeviceStream, StartDevice, Variant
from link_fake_model import HASH, expected_layers, expected_outputs, random_inputs
from link_probe import Probe

from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.link.framing import Demultiplexer, Text
from tinyml_tool.protocol import Paused

pytestmark = pytest.mark.usefixtures("probe")

ZEROS = [np.full((1, 700), -3, np.int8), np.zeros(3, np.float32)]


def printed(device: DeviceStream, until: str) -> str:
    """The text the device prints up to `until`."""
    demultiplexer = Demultiplexer()
    text = ""
    deadline = time.monotonic() + 10
    while until not in text and time.monotonic() < deadline:
        for item in demultiplexer.feed(device.read(4096, 0.1)):
            text += item.data.decode() if isinstance(item, Text) else ""
    assert until in text, text
    return text


def typed(device: DeviceStream, keys: str, until: str) -> str:
    device.write(keys.encode())
    return printed(device, until)


def shown_outputs(text: str) -> dict[str, tuple[float, int]]:
    """(real value, stored value) by name."""
    pattern = r"(output \d+\[\d+\]) = (?:(\S+)  stored )?(-?\d+)\r\n"
    found = re.findall(pattern, text)
    return {name: (float(real or stored), int(stored)) for name, real, stored in found}


@pytest.fixture
def device(start_device: StartDevice) -> DeviceStream:
    device = start_device()
    printed(device, "type help\r\n")
    return device


def test_the_device_greets_with_its_model_and_board(start_device: StartDevice) -> None:
    text = printed(start_device(), "help\r\n")
    assert text == "\r\ntinyml: model fake on fake-board, type help\r\n"


def test_help_lists_every_command(device: DeviceStream) -> None:
    text = typed(device, "help\r", "restart the board\r\n")
    assert re.findall(r"^(\w+)\t", text, re.MULTILINE) == ["help", "info", "run", "layers", "reset"]


def test_a_board_without_observer_has_no_command_for_it(start_device: StartDevice) -> None:
    assert "layers" not in typed(start_device(SMALL_BOARD), "help\r", "restart the board\r\n")


def test_info_tells_model_build_memory_and_tensors(device: DeviceStream) -> None:
    text = typed(device, "info\r", "digest\r\n")
    for fact in (
        "model    fake, engine aot, 2 layers",
        f"hash     {HASH}",
        "build    b1d, tinyml-tool 9.8.7, protocol 1",
        "memory   2000 of 2048 bytes of arena, 1234 of 4096 bytes of stack used",
        "input  0  int8 [1, 700] scale 0.5 zero point -3 samples",
        "input  1  float32 [3] settings",
        "output 0  int8 [1, 300] scale 0.00390625 zero point -128 scores",
    ):
        assert fact in text


@pytest.mark.parametrize("key", ["\b", "\x7f"])
def test_typing_is_echoed_and_backspace_erases(device: DeviceStream, key: str) -> None:
    text = typed(device, f"hex{key}lp\r", "restart the board\r\n")
    assert text.startswith("hex\b \blp\r\n")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_kind_of_line_end_obeys_once(device: DeviceStream, end: str) -> None:
    text = typed(device, f"help{end}what{end}", "unknown command, type help\r\n")
    assert text.count("this list") == 1
    assert text.count("unknown") == 1


def test_an_unknown_command_points_to_help(device: DeviceStream) -> None:
    assert "unknown command, type help" in typed(device, "rm -rf\r", "help\r\n")


def test_a_line_that_is_too_long_is_no_command(device: DeviceStream) -> None:
    text = typed(device, "help" * 100 + "\r" + "info\r", "digest\r\n")
    assert text.count("unknown command") == 1


@pytest.mark.parametrize("noise", ["\0", "\0\0\0", "\0\x02", "\xff\r", "\x1b[A\r"])
def test_noise_before_a_command_does_not_matter(device: DeviceStream, noise: str) -> None:
    device.write(noise.encode("latin-1"))
    assert "this list" in typed(device, "help\r", "restart the board\r\n")


def test_run_without_inputs_runs_on_zeros(device: DeviceStream) -> None:
    text = typed(device, "run\r", "time: ")
    scores, digest = expected_outputs(ZEROS)
    shown = shown_outputs(text)
    assert "inputs: zeros" in text
    assert shown["output 1[0]"][1] == int(digest[0])
    for index in range(16):
        stored = int(scores[0, index])
        assert shown[f"output 0[{index}]"] == (
            pytest.approx((stored + 128) / 256, abs=1e-6),
            stored,
        )
    assert "... and 284 more" in text


def test_run_uses_the_inputs_a_program_has_set(device: DeviceStream) -> None:
    client = LinkClient(device, timeouts=QUICK)
    inputs = random_inputs(5)
    assert client.inputs
    client._set_inputs(inputs)
    text = typed(device, "run\r", "time: ")
    assert "inputs: as set last" in text
    assert shown_outputs(text)["output 1[0]"][1] == int(expected_outputs(inputs)[1][0])


def test_an_emulated_time_is_called_no_measure(device: DeviceStream) -> None:
    assert "emulated: no measure of a real board" in typed(device, "run\r", "board)\r\n")


def test_a_board_shows_its_time_in_microseconds(start_device: StartDevice) -> None:
    text = typed(start_device(SMALL_BOARD, FAKE_RUN_MS="5"), "run\r", " us\r\n")
    match = re.search(r"time: (\d+) ticks at 25000000 Hz, (\d+) us", text)
    assert match is not None
    assert int(match[2]) == int(match[1]) // 25 >= 5000


def test_layers_shows_a_checksum_of_each_layer(device: DeviceStream) -> None:
    layers = expected_layers(ZEROS)
    lines = [
        f"layer {number}  {kind}  tensor {tensor}, {len(layers[tensor])} bytes, "
        f"CRC-32 {zlib.crc32(layers[tensor]):08x}\r\n"
        for number, kind, tensor in [(0, "CONV_2D", 7), (1, "SPLIT", 9), (1, "SPLIT", 11)]
    ]
    assert "".join(lines) in typed(device, "layers\r", until=lines[-1])


def test_reset_restarts_and_greets_again(device: DeviceStream) -> None:
    typed(device, "reset\r", "type help\r\n")


def test_a_failing_model_says_so(start_device: StartDevice) -> None:
    text = typed(start_device(FAKE_RUN_STATUS="-3"), "run\r", "time:")
    assert "model_invoke() returned -3" in text
    assert "output 0" not in text


def test_a_model_that_did_not_start_is_not_run(start_device: StartDevice) -> None:
    device = start_device(FAKE_INIT_STATUS="4", FAKE_FAILURE="no room")
    text = typed(device, "run\rinfo\r", " Hz\r\n")
    assert "the model did not start, see info" in text
    assert "model_init() returned 4 no room\r\n" in text
    assert "memory   2048 bytes of arena" in text


def test_tensors_of_a_model_that_did_not_start_are_not_looked_at(start_device: StartDevice) -> None:
    device = start_device(FAKE_INIT_STATUS="4")
    assert "input  0" not in typed(device, "info\r", " Hz\r\n")
    assert "this list" in typed(device, "help\r", "restart the board\r\n")


def test_a_person_may_type_while_a_program_uses_the_link(device: DeviceStream) -> None:
    client = LinkClient(device, timeouts=QUICK)
    client.hello()
    device.write(b"help\r")
    inputs = random_inputs(8)
    np.testing.assert_array_equal(client.run(inputs)[1], expected_outputs(inputs)[1])
    assert "this list" in client.text


def test_a_paused_model_is_not_run_from_the_console(device: DeviceStream) -> None:
    client = LinkClient(device, timeouts=QUICK)

    def type_run(paused: Paused) -> bool:
        device.write(b"run\r")
        return True

    inputs = random_inputs(8)
    assert client.run_observed(inputs, type_run)[1] == expected_layers(inputs)
    assert "a program on the host looks at a layer right now" in client.text


@pytest.mark.parametrize("variant", [EMULATED, SMALL_BOARD], ids=lambda variant: variant.name)
def test_a_nul_ends_a_frame_that_was_cut_off(start_device: StartDevice, variant: Variant) -> None:
    device = start_device(variant)
    device.write(b"\0\x02\xf7\x05abc")
    assert "this list" in typed(device, "\0help\r", "restart the board\r\n")


def test_a_client_that_leaves_frees_the_console(start_device: StartDevice) -> None:
    device = start_device()
    client = LinkClient(device, timeouts=QUICK)
    device.write(b"\0\x02\xf7\x05abc")
    client._exchange.end_partial_frame()
    assert "this list" in typed(device, "help\r", "restart the board\r\n")


def test_on_a_board_a_pause_ends_a_frame_that_was_cut_off(start_device: StartDevice) -> None:
    device = start_device(SMALL_BOARD)
    device.write(b"\0\x02\xf7\x05abc")
    printed(device, "type help\r\n")
    time.sleep(2.1)
    assert "this list" in typed(device, "help\r", "restart the board\r\n")


@given(st.integers(-(2**32), 2**32), st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_real_numbers_are_printed_right(probe: Probe, factor: int, scale: float) -> None:
    text = probe.print_real(factor, scale)
    significand, _, exponent = text.partition(" * 2^")
    value = Fraction(significand) * Fraction(2) ** int(exponent or 0)
    exact = factor * Fraction(scale)
    allowed = max(abs(exact) / 10**5, Fraction(2, 10**18)) if abs(exact) < 1 else Fraction(1, 10**6)
    assert abs(value - exact) <= allowed


@pytest.mark.parametrize(
    ("factor", "scale", "text"),
    [
        (1, 0.5, "0.5"),
        (-255, 0.00390625, "-0.996094"),
        (7, 0.1, "0.7"),
        (1, 0.7, "0.7"),
        (1, 1.1920929e-07, "0.000000119209"),
        (1, 0.99999999, "1"),
        (3, 2.0, "6"),
        (0, 1.0, "0"),
        (1, 1e-30, "0"),
        (1, math.inf, "inf"),
        (1, -math.inf, "-inf"),
        (1, math.nan, "nan"),
        (1, 2.0**70, f"{2**63} * 2^7"),
    ],
)
def test_a_real_number_reads_well(probe: Probe, factor: int, scale: float, text: str) -> None:
    assert probe.print_real(factor, scale) == text


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_are_printed_right(probe: Probe, value: int) -> None:
    assert probe.print_int(value) == str(value)
