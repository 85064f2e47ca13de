"""The Arduino port executed on the host, behind a pseudo-terminal, against the link's own client.

The framework is a stand-in; model, link, application and port are the files of the project.
"""

from __future__ import annotations

import os
import pty
import subprocess
import tty
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from board_project import (
    DIGITS,
    HERE,
    STAND_IN,
    WARNINGS,
    compile_files,
    files_of,
    run,
    sources_of,
    write_files,
)

import tinyml_tool as tt
from tinyml_tool.boards import load_board
from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.serial_port import SerialPortDevice
from tinyml_tool.graph.reader import read_model
from tinyml_tool.protocol import ResetReason
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.verify.inputs import vectors
from tinyml_tool.verify.parity import compare
from tinyml_tool.verify.runner import DeviceRunner

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
BOARDS = {
    "esp32": ResetReason.POWER_ON,
    "nucleo_l4r5zi": ResetReason.SOFTWARE,
    "feather_nrf52840": ResetReason.SOFTWARE,
}
"""A board of each kind: its clock, what it must do before and after sending, its reset reason."""

OF_ARM_ONLY = ("cycle_counter.h", "restart_cortex_m.h")
"""Headers of the port that touch registers: the host has stand-ins for them."""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The firmware of each board as a program of the host."""
    built = {}
    for name in BOARDS:
        folder = tmp_path_factory.mktemp(name)
        files = dict(files_of(name))
        for header in OF_ARM_ONLY:
            if (path := f"lib/port_arduino/{header}") in files:
                files[path] = (STAND_IN / header).read_bytes()
        project = write_files(folder, files)
        objects = compile_files(
            project, sources_of(files), load_board(name), prefix="", options=SANITIZERS
        )
        stand_in = ["-std=gnu++11", *WARNINGS, f"-I{STAND_IN}", str(STAND_IN / "Arduino.cpp")]
        program = folder / "firmware"
        run(["g++", *SANITIZERS, *stand_in, *map(str, objects), "-o", str(program)], folder)
        built[name] = program
    return built


@contextmanager
def running(program: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start the firmware; the name of its serial port."""
    end, port = pty.openpty()
    tty.setraw(port)
    environment = {**os.environ, "STAND_IN_FD": str(end), **(settings or {})}
    process = subprocess.Popen([str(program)], env=environment, pass_fds=[end])
    try:
        yield os.ttyname(port)
    finally:
        process.kill()
        process.wait()
        os.close(end)
        os.close(port)


@contextmanager
def client_of(program: Path, settings: Mapping[str, str] | None = None) -> Iterator[LinkClient]:
    with (
        running(program, settings) as port,
        SerialPortDevice(port) as device,
        LinkClient(device.stream) as client,
    ):
        yield client


@pytest.mark.parametrize("name", BOARDS)
def test_no_value_of_any_layer_differs_from_the_reference(
    programs: dict[str, Path], name: str
) -> None:
    graph = read_model(DIGITS)
    reference = TflmReference(DIGITS.read_bytes(), graph.name)
    settings = {"STAND_IN_HOLDS": "1"} if name == "feather_nrf52840" else {}
    with client_of(programs[name], settings) as client, DeviceRunner(client, graph) as runner:
        parity = compare(graph, runner, reference, vectors(graph, 4, 0))
    assert parity.layers == len(graph.operators)
    assert parity.values_compared > 0
    assert parity.values_different == 0


@pytest.mark.parametrize("name", BOARDS)
def test_the_handshake_tells_the_board_and_what_its_framework_knows(
    programs: dict[str, Path], name: str
) -> None:
    board = load_board(name)
    assert board.arduino is not None
    wanted = {"STAND_IN_RECEIVES": str(board.arduino.receive_bytes)}
    settings = wanted if board.arduino.receive_setup else {}
    with client_of(programs[name], settings) as client:
        hello = client.hello()
    assert hello.board == name
    assert hello.timer_hz == board.timer.hz
    assert hello.receive_capacity == board.arduino.receive_bytes
    assert ResetReason(hello.reset_reason) == BOARDS[name]
    stack = board.arduino.loop_stack_bytes or 0
    used = stack - 3000 if stack else 0
    assert (hello.stack_bytes, hello.stack_high_water) == (stack, used)


def test_a_benchmark_is_timed_by_the_clock_of_the_board(programs: dict[str, Path]) -> None:
    for name in BOARDS:
        with client_of(programs[name]) as client:
            benchmark = client.benchmark(3)
        assert benchmark.instructions is None
        assert benchmark.seconds is not None
        assert 0 < benchmark.seconds < 1


@pytest.mark.parametrize("name", BOARDS)
def test_a_restart_on_request_is_told_with_its_reason(programs: dict[str, Path], name: str) -> None:
    with client_of(programs[name]) as client:
        assert ResetReason(client.hello().reset_reason) == BOARDS[name]
        assert ResetReason(client.restart().reset_reason) == ResetReason.SOFTWARE


RESETS = [
    ("nucleo_l4r5zi", 1 << 26, ResetReason.PIN),
    ("nucleo_l4r5zi", 1 << 26 | 1 << 25, ResetReason.BROWN_OUT),
    ("nucleo_l4r5zi", 1 << 26 | 1 << 25 | 1 << 27, ResetReason.POWER_ON),
    ("nucleo_l4r5zi", 1 << 26 | 1 << 28, ResetReason.SOFTWARE),
    ("nucleo_l4r5zi", 1 << 26 | 1 << 29, ResetReason.WATCHDOG),
    ("nucleo_l4r5zi", 1 << 26 | 1 << 30, ResetReason.WATCHDOG),
    ("nucleo_l4r5zi", 1 << 26 | 1 << 31, ResetReason.LOW_POWER),
    ("nucleo_l4r5zi", 0, ResetReason.UNKNOWN),
    ("feather_nrf52840", 0, ResetReason.UNKNOWN),
    ("feather_nrf52840", 1 << 0, ResetReason.PIN),
    ("feather_nrf52840", 1 << 1, ResetReason.WATCHDOG),
    ("feather_nrf52840", 1 << 0 | 1 << 2, ResetReason.SOFTWARE),
    ("feather_nrf52840", 1 << 3, ResetReason.LOCKUP),
    ("feather_nrf52840", 1 << 16, ResetReason.LOW_POWER),
    ("esp32", 0, ResetReason.UNKNOWN),
    ("esp32", 2, ResetReason.PIN),
    ("esp32", 4, ResetReason.SOFTWARE),
    ("esp32", 6, ResetReason.WATCHDOG),
    ("esp32", 8, ResetReason.LOW_POWER),
    ("esp32", 9, ResetReason.BROWN_OUT),
]


@pytest.mark.parametrize(("name", "register", "reason"), RESETS)
def test_the_reset_reason_is_read_from_what_the_chip_says(
    programs: dict[str, Path], name: str, register: int, reason: ResetReason
) -> None:
    with client_of(programs[name], {"STAND_IN_RESET": str(register)}) as client:
        assert ResetReason(client.hello().reset_reason) == reason


@pytest.mark.parametrize("percent", ["0", "50", "94", "106", "200"])
def test_a_cycle_counter_that_is_missing_or_at_another_clock_is_not_believed(
    programs: dict[str, Path], percent: str
) -> None:
    with client_of(programs["nucleo_l4r5zi"], {"STAND_IN_RATE": percent}) as client:
        assert client.hello().timer_hz == 1_000_000


def test_a_person_can_type_to_it(programs: dict[str, Path]) -> None:
    with running(programs["nucleo_l4r5zi"]) as port, SerialPortDevice(port) as device:
        device.stream.write(b"info\r")
        text = b""
        while b"nucleo_l4r5zi" not in text:
            piece = device.stream.read(1000, 5)
            assert piece, text
            text += piece


def probe(directory: Path, source: str, board: str, arguments: tuple[str, ...] = ()) -> Path:
    """A small program around a part of the port."""
    files = files_of(board)
    project = write_files(directory, files)
    includes = [f"-I{STAND_IN}", f"-I{project / 'lib/port_arduino'}"]
    program = directory / "probe"
    sources = [str(HERE / source), *(str(project / "lib/port_arduino" / a) for a in arguments)]
    run(["g++", "-std=gnu++11", *WARNINGS, *includes, *sources, "-o", str(program)], directory)
    return program


def test_ticks_go_on_when_the_32_bits_of_the_clock_wrap(tmp_path: Path) -> None:
    program = probe(tmp_path, "ticks_probe.cpp", "esp32", ("timer.cpp",))
    values = [0, 5, 2**32 - 1, 3, 2**31, 2**32 - 2, 0]
    result = subprocess.run(
        [program], input=" ".join(map(str, values)), capture_output=True, text=True, check=True
    )
    *ticks, hz = map(int, result.stdout.split())
    wraps = 2**32
    assert ticks == [0, 5, wraps - 1, wraps + 3, wraps + 2**31, 2 * wraps - 2, 2 * wraps]
    assert hz == 1_000_000


def sends(program: Path, calls: int, deaf_until: int) -> list[tuple[int, int]]:
    result = subprocess.run(
        [program, str(calls), str(deaf_until)], capture_output=True, text=True, check=True
    )
    numbers = list(map(int, result.stdout.split()))
    return list(zip(numbers[::2], numbers[1::2], strict=True))


@pytest.fixture
def writer(tmp_path: Path) -> Path:
    return probe(tmp_path, "write_probe.cpp", "nano33ble", ("port_arduino.cpp",))


def test_all_bytes_are_sent_in_as_many_pieces_as_the_framework_takes(writer: Path) -> None:
    assert sends(writer, 100, 0) == [(100, 0)] * 6


def test_a_pause_of_the_host_loses_nothing(writer: Path) -> None:
    assert sends(writer, 1, 150) == [(100, 150), *[(100, 0)] * 5]


def test_without_a_listener_sending_costs_its_patience_once(writer: Path) -> None:
    assert sends(writer, 1, 10**6) == [(64, 200), *[(0, 0)] * 5]


@pytest.mark.parametrize("name", BOARDS)
def test_validation_over_the_wire_tells_the_time_of_an_inference(
    programs: dict[str, Path], name: str
) -> None:
    with running(programs[name]) as port:
        evidence = tt.validate(programs[name].parent, port=port, vectors=1)
    assert evidence.parity.exact
    assert (evidence.ran_on, evidence.instructions_per_inference) == (name, None)
    assert evidence.seconds_per_inference is not None
    assert 0 < evidence.seconds_per_inference < 1


def test_a_stack_nobody_measures_is_unknown_in_the_text_mode(programs: dict[str, Path]) -> None:
    said = {}
    for name in ("nucleo_l4r5zi", "esp32"):
        with running(programs[name]) as port, SerialPortDevice(port) as device:
            device.stream.write(b"info\r")
            text = b""
            while b"Hz" not in text:
                text += device.stream.read(4096, 5)
        said[name] = text.decode()
    assert "use of the stack unknown" in said["nucleo_l4r5zi"]
    assert "of 8192 bytes of stack used" in said["esp32"]
