"""The real Renode, where it is installed: what the fake only plays is done here for real."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from renode_boards import BOARDS, NETDUINO
from renode_place import HERE

import tinyml_tool as tt
from tinyml_tool.boards import Board, load_board
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.target import Target
from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.devices.renode import RenodeDevice
from tinyml_tool.devices.renode_process import RenodeProcess, start_renode
from tinyml_tool.devices.socket_stream import SocketStream
from tinyml_tool.errors import DeviceError, DeviceFaultError
from tinyml_tool.firmware.project import project_files, write_project
from tinyml_tool.firmware.renode_files import SCRIPT_PORT
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import Graph
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.toolchain.build import build_project
from tinyml_tool.verify.inputs import vectors
from tinyml_tool.verify.parity import compare
from tinyml_tool.verify.runner import DeviceRunner

pytestmark = pytest.mark.skipif(
    shutil.which("renode") is None,
    reason="renode is not on PATH: this is run for real only where it is installed",
)
MODEL = (HERE.parents[1] / "examples" / "digits" / "digits.tflite").read_bytes()
FAULTY = HERE.parent / "devices" / "firmware" / "plain.c"
"""Answers "f" with a fault and "r" with a reset."""

Built = Callable[[Board], tuple[Path, Path]]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return parse_model(MODEL, "digits")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, graph: Graph) -> Built:
    """From a board to the project of the model, and its firmware; built once."""
    done: dict[str, tuple[Path, Path]] = {}

    def get(board: Board) -> tuple[Path, Path]:
        if board.id not in done:
            project = tmp_path_factory.mktemp("project") / board.id
            plan = compile_graph(graph, Target(board.core))
            write_project(project, project_files(plan, board, name="digits", model=MODEL))
            done[board.id] = project, build_project(project, board, "cmake").elf
        return done[board.id]

    return get


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.id)
def test_every_layer_is_bit_exact_over_the_uart(board: Board, built: Built, graph: Graph) -> None:
    inputs = vectors(graph, 2, seed=0)
    with RenodeDevice(board, built(board)[1]) as device, LinkClient(device.stream) as client:
        with DeviceRunner(client, graph, use_files=device.shares_files) as runner:
            parity = compare(graph, runner, TflmReference(MODEL, "digits"), inputs)
        assert client.hello().receive_overruns == 0
    assert parity.exact
    assert parity.layers == len(graph.operators)


@pytest.mark.parametrize("name", ["nano33ble", "nucleo_h743zi"])
def test_the_project_of_a_real_board_runs_there_and_in_qemu(name: str, tmp_path: Path) -> None:
    model = HERE.parents[1] / "examples" / "digits" / "digits.tflite"
    project = tmp_path / name
    emulated = tt.deploy(model, board=name, output=project, emulator="renode", vectors=2)
    assert (emulated.board, emulated.ran_on) == (name, f"renode-{name}")
    assert emulated.parity.exact
    assert emulated.seconds_per_inference is None
    in_qemu = tt.validate(project, vectors=2)
    assert in_qemu.ran_on == load_board(name).emulated_as
    assert in_qemu.parity.exact
    counted = emulated.instructions_per_inference
    assert counted is None or counted == in_qemu.instructions_per_inference


def test_instructions_are_counted_as_qemu_counts_them(built: Built, renode: RenodeProcess) -> None:
    version = re.search(r"(\d+)\.(\d+)\.(\d+)", renode.robot.execute("version"))
    assert version is not None
    fine = tuple(map(int, version.groups())) >= (1, 15, 3)  # before, timers were coarse
    elf = built(NETDUINO)[1]
    with RenodeDevice(NETDUINO, elf) as device, LinkClient(device.stream) as client:
        before = device.executed_instructions()
        counted = client.benchmark(8).instructions
        executed = device.executed_instructions() - before
    with QemuDevice(NETDUINO, elf) as qemu, LinkClient(qemu.stream) as client:
        expected = client.benchmark(8).instructions
    assert expected is not None
    assert executed > 8 * expected
    assert counted == (expected if fine else None)


def test_the_firmware_can_restart_itself(built: Built) -> None:
    elf = built(NETDUINO)[1]
    with RenodeDevice(NETDUINO, elf) as device, LinkClient(device.stream) as client:
        assert client.hello().model_name == client.restart().model_name
        assert device.log.count("tinyml: model digits") == 2


def test_a_fault_is_told_with_its_place(tmp_path: Path, graph: Graph) -> None:
    files = project_files(compile_graph(graph, Target(NETDUINO.core)), NETDUINO, name="digits")
    files["src/main.c"] = FAULTY.read_bytes()
    write_project(tmp_path / "faulty", files)
    elf = build_project(tmp_path / "faulty", NETDUINO, "cmake").elf
    with (
        RenodeDevice(NETDUINO, elf) as device,
        pytest.raises(
            DeviceFaultError, match=r"undefined instruction\) in main\(\) at src/main\.c"
        ),
    ):
        device.stream.write(b"f")
        while device.stream.read(4096, 10):
            pass


@pytest.fixture
def renode() -> Iterator[RenodeProcess]:
    """An empty Renode."""
    started = start_renode(str(shutil.which("renode")), seconds=60)
    yield started
    started.stop()


def test_the_generated_script_works_by_hand(built: Built, renode: RenodeProcess) -> None:
    project, elf = built(NETDUINO)
    renode.robot.execute(f"$elf=@{elf}")
    renode.robot.execute(f"include @{project}/renode/netduinoplus2.resc")
    stream = SocketStream(socket.create_connection(("127.0.0.1", SCRIPT_PORT), 5), _gone)
    renode.robot.execute("start")
    with LinkClient(stream) as client:
        assert client.hello().board == "netduinoplus2"


def test_renodes_own_words_tell_of_a_wrong_platform(renode: RenodeProcess) -> None:
    (renode.directory / "wrong.repl").write_text("ram: Memory.Mapped @ sysbus 0x20000000\n")
    renode.robot.execute("mach create")
    with pytest.raises(DeviceError, match=r"refuses .*Could not resolve type: 'Memory\.Mapped'"):
        renode.robot.execute("machine LoadPlatformDescription @wrong.repl")


def _gone() -> DeviceError:
    return DeviceError("Renode is gone")
