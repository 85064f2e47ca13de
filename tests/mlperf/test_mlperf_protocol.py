"""Every command of the protocol, and everything that must be refused, under sanitizers."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from expected_results import DATA_BYTES, expected, is_rounded, random_data
from host_firmware import build_host_firmware
from link_device import QUICK, DeviceStream
from mlperf_firmware import model_for, write_mlperf_project
from runner_client import RunnerClient

from tinyml_tool.config import MlperfBenchmark
from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.protocol import Paused

StartFirmware = Callable[..., DeviceStream]


@pytest.fixture
def client(start_firmware: StartFirmware) -> RunnerClient:
    """A client of a keyword spotter that has started."""
    client = RunnerClient(start_firmware())
    client.boot()
    return client


def test_a_device_says_what_it_is(client: RunnerClient) -> None:
    assert client.name() == "qemu-m4"
    assert client.model() == "kws01"
    assert len(client.help()) > 5


def test_time_runs_in_microseconds(client: RunnerClient) -> None:
    before = client.timestamp()
    client._stream.read(1, 0.2)
    assert 190_000 < client.timestamp() - before < 2_000_000


@pytest.mark.parametrize("benchmark", DATA_BYTES)
def test_the_data_become_the_model_s_input(
    start_firmware: StartFirmware, benchmark: MlperfBenchmark
) -> None:
    client = RunnerClient(start_firmware(benchmark))
    client.boot()
    assert client.model() == benchmark
    for seed in range(2):
        data = random_data(benchmark, seed)
        client.load(data)
        assert client.loaded() == data
        results = client.infer(3, warmups=2).results
        wanted = expected(model_for(benchmark), benchmark, data)
        assert len(results) == len(wanted)
        assert all(map(is_rounded, results, wanted)), (results, list(map(float, wanted)))


def test_a_spectrogram_is_rounded_and_clamped_as_the_reference_does(
    start_firmware: StartFirmware,
) -> None:
    """Halves of steps, both ends of int8 and beyond; the input's scale is 0.5."""
    values = np.linspace(-200, 200, 640).astype("<f4")
    values[:8] = (0.25, -0.25, 0.75, -0.75, 62.5, -62.5, 1e4, -1e4)
    client = RunnerClient(start_firmware("ad01"))
    client.boot()
    client.load(values.tobytes())
    (result,) = client.infer().results
    (wanted,) = expected(model_for("ad01"), "ad01", values.tobytes())
    assert is_rounded(result, wanted), (result, float(wanted))


@pytest.mark.parametrize(
    ("value", "result"),
    [(float("nan"), "nan"), (float("inf"), "inf"), (-3e38, "inf"), (1e12, "inf")],
)
def test_no_number_makes_the_firmware_stumble(
    start_firmware: StartFirmware, value: float, result: str
) -> None:
    client = RunnerClient(start_firmware("ad01"))
    client.boot()
    client.load(struct.pack("<f", value) * 640)
    client._stream.write(b"infer 1 0%")
    assert client._reply()[-1] == f"m-results-[{result}]"


def test_loaded_bytes_can_be_looked_at(client: RunnerClient) -> None:
    data = random_data("kws01", 5)
    client.load(data)
    assert client.loaded("20") == data[:20]
    assert client.loaded("20 480") == data[480:]
    assert client.loaded("20 1000") == b""


def test_the_number_of_warmups_is_ten_unless_it_is_said(client: RunnerClient) -> None:
    client.load(random_data("kws01", 0))
    client._stream.write(b"infer 2%")
    assert client._reply()[0] == "m-warmup-start-10"


def test_digits_after_the_last_byte_are_ignored(client: RunnerClient) -> None:
    assert client._command("db load 2") == ["m-[Expecting 2 bytes]"]
    assert client._command("db A1b2C3d4") == ["m-load-done"]
    assert client.loaded() == b"\xa1\xb2"


def test_a_new_load_forgets_the_old_one(client: RunnerClient) -> None:
    client.load(random_data("kws01", 0))
    client._command("db load 490")
    assert client.loaded() == b""
    assert "not loaded" in client.refusal("infer 1 0")


LOAD = "The input is not loaded, it has 490 bytes"
EXPECT = "No more bytes are expected, begin with 'db load'"


@pytest.mark.parametrize(
    ("before", "command", "reason"),
    [
        ((), "nonsense", "Unknown command: nonsense"),
        ((), "Name", "Unknown command: Name"),
        ((), "names", "Unknown command: names"),
        ((), "nam", "Unknown command: nam"),
        ((), "", "Unknown command: "),
        ((), "   ", "Unknown command: "),
        ((), "db", "Command 'db' requires a subcommand"),
        ((), "db load", "Command 'db load' requires a number of bytes above 0"),
        ((), "db load 0", "Command 'db load' requires a number of bytes above 0"),
        ((), "db load -1", "Command 'db load' requires a number of bytes above 0"),
        ((), "db load 49x", "Command 'db load' requires a number of bytes above 0"),
        ((), "db load 4294967786", "Command 'db load' requires a number of bytes above 0"),
        ((), "db load 491", "More bytes than the input has: 490"),
        ((), "db 00", EXPECT),
        (("db load 1", "db 00"), "db 00", EXPECT),
        (("db load 491",), "db 00", EXPECT),
        (("db load 9",), "db 000", "Insufficient number of hex digits"),
        (("db load 9",), "db 0g", "Invalid hex digit"),
        (("db load 9",), "db lord", "Invalid hex digit"),
        ((), "db print x", "Command 'db print' takes a number of bytes and an offset"),
        ((), "db print 1 x", "Command 'db print' takes a number of bytes and an offset"),
        ((), "infer", LOAD),
        ((), "infer 1 0", LOAD),
        (("db load 490", "db 00"), "infer 1 0", LOAD),
        (("db load 1", "db 00"), "infer 1 0", LOAD),
        ((), "infer 0 0", "Inference iterations must be >0"),
        ((), "infer -1 0", "Inference iterations must be >0"),
        ((), "infer 1 -1", "Inference warmup must be >=0"),
        ((), "infer 1 9999999999", "Inference warmup must be >=0"),
        ((), "results", "There is no result, begin with 'infer'"),
        ((), "n" * 81, "A command is text of at most 80 characters"),
        ((), "n" * 500, "A command is text of at most 80 characters"),
        ((), "na\tme", "A command is text of at most 80 characters"),
    ],
)
def test_a_wrong_command_is_refused(
    client: RunnerClient, before: tuple[str, ...], command: str, reason: str
) -> None:
    for other in before:
        client._stream.write(f"{other}%".encode())
        client._reply()
    assert client.refusal(command) == reason
    assert client.name() == "qemu-m4"


def test_eighty_characters_are_a_command(client: RunnerClient) -> None:
    assert client.refusal("n" * 80) == "Unknown command: " + "n" * 80
    client._command("db load 38")
    assert client._command("db " + "5a" * 38) == ["m-load-done"]
    assert client._command(" " * 76 + "name") == ["m-name-dut-[qemu-m4]"]


def test_a_command_with_one_wrong_digit_loads_nothing(client: RunnerClient) -> None:
    client._command("db load 4")
    client.refusal("db 010203zz")
    assert client.loaded() == b""


def test_a_refused_inference_leaves_no_old_result(client: RunnerClient) -> None:
    client.load(random_data("kws01", 0))
    client.infer()
    client._command("db load 490")
    client.refusal("infer 1 0")
    assert client.refusal("results") == "There is no result, begin with 'infer'"


def test_people_and_the_runner_share_the_port(start_firmware: StartFirmware) -> None:
    stream = start_firmware()
    client = RunnerClient(stream)
    client.boot()
    stream.write(b"help\r\nhelp%")
    text = b""
    while not text.endswith(b"m-ready\r\n"):
        text += stream.read(4096, 5)
    assert text.count(b"help") > 2
    assert b"run the model once" in text
    assert not text.startswith(b"help"), "what is typed is not echoed"
    assert client.name() == "qemu-m4"


def read_until(stream: DeviceStream, end: bytes) -> bytes:
    text = b""
    while not text.endswith(end):
        data = stream.read(4096, 5)
        assert data, text
        text += data
    return text


def test_a_person_may_switch_the_echo_on_and_off(start_firmware: StartFirmware) -> None:
    stream = start_firmware()
    client = RunnerClient(stream)
    client.boot()
    stream.write(b"mlperf\r")
    assert read_until(stream, b"for the runner\r\n").startswith(b"\r\nwhat you type is shown now")
    stream.write(b"name%")
    assert read_until(stream, b"m-ready\r\n") == b"name%\r\nm-name-dut-[qemu-m4]\r\nm-ready\r\n"
    stream.write(b"mlperf\r")
    back = read_until(stream, b"m-ready\r\n").split(b"\r\n")
    assert back[:2] == [b"mlperf", b"m-timestamp-mode-performance"]
    assert client.name() == "qemu-m4"


def test_the_link_and_the_runner_share_the_model(start_firmware: StartFirmware) -> None:
    stream = start_firmware()
    client = RunnerClient(stream)
    client.boot()
    client.load(random_data("kws01", 1))
    results = client.infer().results
    link = LinkClient(stream, timeouts=QUICK)
    link.run([np.zeros((1, 490), np.int8)])
    assert client.results() == results
    assert client.infer().results == results


def test_the_runner_does_not_disturb_an_observed_run(start_firmware: StartFirmware) -> None:
    stream = start_firmware()
    client = RunnerClient(stream)
    client.boot()
    client.load(random_data("kws01", 1))
    link = LinkClient(stream, timeouts=QUICK)
    inputs = [np.ones((1, 490), np.int8)]
    undisturbed = link.run_observed(inputs)[1]
    refusals = []

    def disturb(_: Paused) -> bool:
        refusals.append(client.refusal("infer 1 0"))
        return True

    assert link.run_observed(inputs, disturb)[1] == undisturbed
    assert refusals == ["A program on the host looks at a layer right now"]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("int model_init(void)", "The model did not start"),
        ("int model_invoke(void)", "model_invoke() returned 7"),
    ],
)
def test_a_model_that_fails_is_told(
    start_firmware: StartFirmware, tmp_path: Path, function: str, reason: str
) -> None:
    source = write_mlperf_project(tmp_path / "project", "kws01") / "lib" / "model" / "model.c"
    beginning = f"{function}\n{{\n"
    assert beginning in source.read_text()
    source.write_text(source.read_text().replace(beginning, f"{beginning}  return 7;\n"))
    program = build_host_firmware(tmp_path / "project", tmp_path / "firmware")
    client = RunnerClient(start_firmware(program=program))
    client.boot()
    client.load(random_data("kws01", 0))
    client._stream.write(b"infer 1 0%")
    assert client._reply()[-1] == f"e-[{reason}]"
    assert client.refusal("results") == "There is no result, begin with 'infer'"
