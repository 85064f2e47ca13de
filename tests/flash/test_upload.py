"""Flashing a real board from end to end: PlatformIO uploads, and the board is a pseudo-terminal.

The board's environment builds what is emulated in its place, since its own framework needs a
download; its upload copies the firmware to where the board "boots" from.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from command import tinyml
from project_case import small_files, small_model
from pty_board import PtyBoard

import tinyml_tool as tt
from tinyml_tool.api.generate import Generated, write_generated
from tinyml_tool.boards import load_board
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.errors import BuildError, DeviceError
from tinyml_tool.firmware.project import write_project
from tinyml_tool.toolchain.upload import needs_port, upload_failure

UPLOADER = """
import pathlib, shutil
Import("env")

def upload(source, target, env):
    print("Uploading to", env.subst("$UPLOAD_PORT"))
    flash = pathlib.Path(env.subst("$PROJECT_DIR")) / "flash"
    if (flash / "broken").exists():
        print("No device found on " + env.subst("$UPLOAD_PORT"))
        return 1
    flash.mkdir(exist_ok=True)
    shutil.copy(str(source[0]), flash / "new.elf")
    (flash / "new.elf").rename(flash / "firmware.elf")

env.AlwaysBuild(env.Alias("upload", "$BUILD_DIR/firmware.elf", upload))
"""


class FakeNano(PtyBoard):
    """Runs, on an emulator, whatever was uploaded to `project`."""

    def __init__(self, directory: Path, project: Path) -> None:
        super().__init__(directory)
        self._image = project / "flash" / "firmware.elf"
        self._off = Event()
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._image.exists():
            if self._off.wait(0.02):
                return
        with QemuDevice(load_board("qemu-m4"), self._image) as firmware:
            self.join(firmware.stream)
            self._off.wait()

    def switch_off(self) -> None:
        self._off.set()
        self._thread.join()
        self.unplug()


def nano_project(directory: Path, model: bytes | None = None) -> Path:
    write_project(directory, small_files("nano33ble", model))
    prepare_nano(directory)
    return directory


def prepare_nano(directory: Path) -> None:
    """Make the board's environment one that needs no download, and uploads to a file."""
    (directory / "platforms" / "nordicnrf52").mkdir()  # nothing to ask the registry for
    (directory / "upload.py").write_text(UPLOADER)
    settings = (directory / "platformio.ini").read_text()
    common, _ = settings.split("[env:nano33ble]")
    common += "[env:nano33ble]\nextends = env:qemu-m4\nextra_scripts = post:upload.py\n"
    (directory / "platformio.ini").write_text(common)


@pytest.fixture(scope="module")
def nano(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nano_project(tmp_path_factory.mktemp("upload") / "nano")


@pytest.fixture
def board(tmp_path: Path, nano: Path) -> Iterator[FakeNano]:
    (nano / "flash").mkdir(exist_ok=True)
    for file in (nano / "flash").iterdir():
        file.unlink()
    board = FakeNano(tmp_path, nano)
    yield board
    board.switch_off()


def test_the_firmware_is_built_uploaded_and_asked_what_it_is(nano: Path, board: FakeNano) -> None:
    result = tinyml("flash", nano, "--port", board.path, "--json")
    flashed = result.envelope["result"]
    assert (flashed["board"], flashed["port"]) == ("nano33ble", str(board.path))
    assert flashed["emulator"] is None
    assert f"uploading with PlatformIO to {board.path}" in result.stderr
    assert f"Uploading to {board.path}" in (nano / ".pio" / "upload.log").read_text()
    validated = tinyml("validate", nano, "--port", board.path, "--vectors", "2", "--json")
    assert validated.envelope["result"]["parity"]["values_different"] == 0


def test_deploy_flashes_the_board_at_the_port_and_validates_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "nano"
    model = tmp_path / "small.tflite"
    model.write_bytes(small_model())

    def generate_nano(*arguments: Any, **options: Any) -> Generated:
        made = write_generated(*arguments, **options)
        prepare_nano(made.project)
        return made

    monkeypatch.setattr("tinyml_tool.api.deploy.write_generated", generate_nano)
    board = FakeNano(tmp_path, project)
    told: list[str] = []
    try:
        port = str(board.path)
        evidence = tt.deploy(
            model, board="nano33ble", output=project, port=port, vectors=2, progress=told.append
        )
    finally:
        board.switch_off()
    assert evidence.parity.exact
    assert (evidence.board, list(evidence.seconds)[-3:]) == (
        "nano33ble",
        ["flash", "parity", "benchmark"],
    )
    assert f"building and uploading with PlatformIO to {port}" in told
    assert not [line for line in told if "emulated in place" in line]


def test_deploy_refuses_the_port_of_a_board_it_cannot_flash(tmp_path: Path) -> None:
    model = tmp_path / "small.tflite"
    model.write_bytes(small_model())
    result = tinyml("deploy", model, "--port", "/dev/ttyACM0", "-o", tmp_path / "p", "--json")
    assert (result.code, result.error["code"]) == (2, "input")
    assert "'qemu-m4' is none" in result.error["message"]
    assert "`tinyml validate PROJECT --port /dev/ttyACM0`" in result.error["hint"]
    assert not (tmp_path / "p").exists()


def test_another_model_on_the_board_is_noticed(tmp_path: Path, nano: Path, board: FakeNano) -> None:
    assert tinyml("flash", nano, "--port", board.path).code == 0
    other = tmp_path / "other"
    write_project(other, small_files("nano33ble", small_model(weight=5)))
    result = tinyml("validate", other, "--port", board.path, "--json")
    assert (result.code, result.error["code"]) == (6, "link")
    assert "another model is on the device" in result.error["message"]


def test_a_board_that_takes_no_upload_is_told(nano: Path, board: FakeNano) -> None:
    (nano / "flash" / "broken").touch()
    result = tinyml("flash", nano, "--port", board.path, "--json")
    assert (result.code, result.error["code"]) == (6, "device")
    assert f"No device found on {board.path}" in result.error["message"]
    assert "RESET" in result.error["hint"]


def test_a_board_that_stays_silent_after_the_upload_is_told(nano: Path, tmp_path: Path) -> None:
    (nano / "flash" / "broken").unlink(missing_ok=True)
    silent = PtyBoard(tmp_path)
    result = tinyml("flash", nano, "--port", silent.path, "--timeout", "0.5", "--json")
    silent.unplug()
    assert (result.code, result.error["code"]) == (6, "link")
    assert "does not answer" in result.error["message"]


def test_a_port_that_somebody_uses_is_not_flashed(nano: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    board = PtyBoard(tmp_path)
    code = "import sys; port = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, board.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"open\n"
        result = tinyml("flash", nano, "--port", board.path, "--json")
        holder.kill()
    board.unplug()
    assert (result.code, result.error["code"]) == (6, "port")
    assert f"(process {holder.pid})" in result.error["message"]


def test_without_a_port_the_missing_board_is_told(nano: Path) -> None:
    result = tinyml("flash", nano, "--json")
    assert (result.code, result.error["code"]) == (6, "port")
    assert "nano33ble" in result.error["message"]
    assert "2341:805a" in result.error["hint"]


def test_a_new_pico_has_no_port_and_needs_none() -> None:
    assert not needs_port(load_board("pico"))
    assert not needs_port(load_board("nucleo_l4r5zi"))
    assert needs_port(load_board("nano33ble"))
    assert needs_port(load_board("esp32s3"))


LOG = (
    "Compiling error_handler.c\nConfiguring upload protocol...\nAVAILABLE: x\n"
    "Uploading .pio/build/x/firmware.elf\n*** [upload] Error 1\n{}\n"
    "===== [FAILED] Took 1 seconds =====\n"
)
COMPILER_LOG = "src/main.c:3:10: error: 'x' undeclared\n*** [.pio/build/x/src/main.o] Error 1\n"


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("Error: libusb_open() failed with LIBUSB_ERROR_ACCESS", "udev"),
        (
            "A fatal error occurred: Failed to connect to ESP32: timed out waiting for packet",
            "BOOT",
        ),
        ("[Errno 16] could not open port /dev/ttyACM0: Device or resource busy", "tinyml ports"),
        ("something nobody has seen before", "whole log is in"),
    ],
)
def test_a_failed_upload_tells_reason_and_next_step(tmp_path: Path, words: str, hint: str) -> None:
    log = tmp_path / "log"
    error = upload_failure(LOG.format(words), load_board("nano33ble"), tmp_path, log)
    assert isinstance(error, DeviceError)
    assert words in error.message
    assert hint in (error.hint or "")


def test_a_compile_error_is_no_failed_upload(tmp_path: Path) -> None:
    error = upload_failure(COMPILER_LOG, load_board("nano33ble"), tmp_path, tmp_path / "log")
    assert isinstance(error, BuildError)
    assert "src/main.c:3:10" in error.message
