"""The sources that use libraries of frameworks, executed on the host with stand-ins for these.

The stand-ins have the libraries' signatures and what is known of their behaviour: they show that
the sources are right C++, and right about samples, gaps and failures as far as that goes.
"""

from __future__ import annotations

import ctypes
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from board_project import STAND_IN as ARDUINO
from board_project import framework_define, run, write_files
from motion_chips import Chip
from numpy.typing import NDArray
from source_case import AUDIO, MOTION, PICTURE, features_of, source_project
from test_motion_drivers import BUS, CHIPS, LOST, OK, Driver, feed, measured

from tinyml_tool.boards import load_board
from tinyml_tool.firmware.build_flags import WARNING_FLAGS

STAND_IN = Path(__file__).parent / "stand_in"
STRICT = ("-std=gnu++11", "-Werror", *WARNING_FLAGS)
ABSENT, REFUSED = -1, -3
CANARY = 77

Make = Callable[..., "Source"]


class Source:
    """A source as a library of this computer."""

    def __init__(self, library: Path, dtype: type) -> None:
        self.library = ctypes.CDLL(str(library))
        self._dtype = dtype

    def value(self, name: str) -> int:
        return ctypes.c_int.in_dll(self.library, name).value

    def set(self, name: str, value: int) -> None:
        ctypes.c_int.in_dll(self.library, name).value = value

    def start(self) -> int:
        return int(self.library.tinyml_source_start())

    def stop(self) -> None:
        self.library.tinyml_source_stop()

    def read(self, count: int = 128) -> NDArray[Any] | int:
        place = np.full(count + 8, CANARY, self._dtype)
        address = ctypes.c_void_p(place.ctypes.data)
        got = int(self.library.tinyml_source_read(address, ctypes.c_size_t(count)))
        assert got <= count
        assert (place[max(got, 0) :] == CANARY).all() or got == BUS
        return got if got < 0 else place[:got]

    def samples(self, count: int = 128) -> NDArray[Any]:
        found = self.read(count)
        assert not isinstance(found, int), found
        return found

    def all(self) -> NDArray[Any]:
        parts = []
        while len(part := self.samples()) > 0:
            parts.append(part)
        return np.concatenate(parts) if parts else np.zeros(0, self._dtype)

    def deliver(self, name: str, samples: NDArray[Any]) -> None:
        data = np.ascontiguousarray(samples)
        self.library[name](ctypes.c_void_p(data.ctypes.data), ctypes.c_size_t(len(data)))


def own_folders(project: Path) -> tuple[Path, ...]:
    return tuple(project / "lib" / name for name in ("sensors", "features", "port_arduino"))


def compiled(
    folder: Path, source: dict[str, Any], features: dict[str, Any], board: str, stand_in: str
) -> Path:
    """The sources of a project that a framework compiles, with a stand-in for its library."""
    project = write_files(folder, source_project(source, features_of(features), board))
    sensors = project / "lib/sensors"
    includes = [f"-I{path}" for path in (*own_folders(project), STAND_IN, ARDUINO)]
    defines = ["-DARDUINO=10819", framework_define(load_board(board)), "-fPIC", "-O1"]
    checks = ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
    objects = []
    for path in sorted(sensors.glob("source_*.c*")) + sorted(sensors.glob("i2c_*.cpp")):
        is_c = path.suffix == ".c"
        compiler = ["gcc", "-std=gnu11", *STRICT[1:]] if is_c else ["g++", *STRICT]
        objects.append(str(path) + ".o")
        options = [*defines, *checks, *includes, "-c", str(path), "-o", objects[-1]]
        run([*compiler, *options], folder)
    library = folder / "source.so"
    other = [*defines, *includes, str(STAND_IN / stand_in)]
    run(["g++", "-std=gnu++11", "-shared", *other, *objects, "-o", str(library)], folder)
    return library


_compiled: dict[str, bytes] = {}


@pytest.fixture
def made(tmp_path: Path) -> Make:
    def make(
        source: dict[str, Any],
        features: dict[str, Any],
        board: str,
        stand_in: str,
        dtype: type = np.int16,
    ) -> Source:
        key = json.dumps([source, features, board, stand_in])
        if key not in _compiled:
            folder = tmp_path / "compiled"
            folder.mkdir()
            library = compiled(folder, source, features, board, stand_in)
            _compiled[key] = library.read_bytes()
        copy = tmp_path / "copy.so"  # each copy has its own memory
        copy.write_bytes(_compiled[key])
        return Source(copy, dtype)

    return make


@pytest.fixture
def pdm(made: Make) -> Source:
    return made({"kind": "pdm", "gain": 40}, AUDIO, "nano33ble", "pdm.cpp")


def sound(count: int, seed: int = 0) -> NDArray[np.int16]:
    samples = np.random.default_rng(seed).integers(-32768, 32768, count).astype(np.int16)
    samples[:2] = (-32768, 32767)
    return samples


def test_the_microphone_is_begun_with_the_rate_of_the_features(pdm: Source) -> None:
    assert pdm.start() == OK
    assert [pdm.value(f"pdm_{name}") for name in ("channels", "rate", "gain")] == [1, 16000, 40]


def test_a_gain_that_nobody_chose_is_left_to_the_library(made: Make) -> None:
    source = made({"kind": "pdm"}, AUDIO, "nano_rp2040_connect", "pdm.cpp")
    assert source.start() == OK
    assert source.value("pdm_gain") == -1


def test_a_library_that_refuses_is_told_and_may_be_asked_again(pdm: Source) -> None:
    pdm.set("pdm_accepts", 0)
    assert pdm.start() == REFUSED
    pdm.set("pdm_accepts", 1)
    assert pdm.start() == OK


def test_sound_comes_through_in_order_whatever_the_pieces(pdm: Source) -> None:
    pdm.start()
    played, heard = sound(20_000), []
    chance = np.random.default_rng(5)
    for at in range(0, len(played), 250):
        pdm.deliver("pdm_deliver", played[at : at + 250])
        for _ in range(5):
            heard.append(pdm.samples(int(chance.integers(1, 129))))
    heard.append(pdm.all())
    assert (np.concatenate(heard) == played).all()
    assert pdm.value("pdm_stalled") == 0


def test_sound_of_a_quarter_of_a_second_waits_while_the_model_runs(pdm: Source) -> None:
    pdm.start()
    played = sound(4096)
    for at in range(0, 4096, 256):
        pdm.deliver("pdm_deliver", played[at : at + 256])
    assert (pdm.all() == played).all()


def test_a_gap_in_the_sound_is_told_once_and_what_follows_is_new(pdm: Source) -> None:
    pdm.start()
    for number in range(17):
        pdm.deliver("pdm_deliver", np.full(256, number, np.int16))
    assert pdm.read() == LOST
    assert len(pdm.samples()) == 0
    pdm.deliver("pdm_deliver", np.full(256, 99, np.int16))
    assert set(pdm.all().tolist()) == {99}
    assert pdm.value("pdm_stalled") == 0  # the library's buffers were read all the same


def test_counters_that_wrap_lose_nothing(pdm: Source) -> None:
    """4,096 samples in the ring, 70 times over."""
    pdm.start()
    for number in range(1_120):
        block = np.full(256, number, np.int16)
        pdm.deliver("pdm_deliver", block)
        assert (pdm.all() == block).all()


def test_a_stopped_microphone_is_silent_and_starts_empty(pdm: Source) -> None:
    pdm.start()
    pdm.deliver("pdm_deliver", sound(256))
    pdm.stop()
    pdm.deliver("pdm_deliver", sound(256))
    assert pdm.start() == OK
    assert len(pdm.samples()) == 0
    assert pdm.value("pdm_begins") == 2


@pytest.fixture
def i2s(made: Make) -> Source:
    source = {"kind": "i2s", "data": 7, "buffer_ms": 100}
    return made(source, AUDIO, "esp32s3", "i2s.cpp")


def words(samples: NDArray[np.int16], low: int = 0x8000) -> NDArray[np.int32]:
    """Samples as a microphone of 24 bits sends them."""
    return samples.astype(np.int32) * 65536 + low


def test_the_driver_gets_rate_pins_and_buffers(i2s: Source) -> None:
    assert i2s.start() == OK
    settings = [i2s.library.i2s_setting(which) for which in range(10)]
    # master and receiver, 16 kHz, 32 bits, left; 7 buffers of 256; pins 4, 5, 7 and none
    assert settings == [9, 16000, 32, 4, 7, 256, 4, 5, 7, -1]


@pytest.mark.parametrize("failure", ["i2s_install_fails", "i2s_pins_fail"])
def test_a_driver_that_refuses_is_told_and_leaves_nothing_behind(i2s: Source, failure: str) -> None:
    i2s.set(failure, 1)
    assert i2s.start() == REFUSED
    i2s.set(failure, 0)
    assert i2s.start() == OK


def test_words_become_their_high_16_bits(i2s: Source) -> None:
    i2s.start()
    played = sound(1000)
    i2s.deliver("i2s_deliver", words(played))
    assert (i2s.all() == played).all()


def test_a_smaller_shift_is_louder_and_saturates(made: Make) -> None:
    source = made({"kind": "i2s", "shift": 14}, AUDIO, "esp32", "i2s.cpp")
    source.start()
    played = np.array([-(2**31), 2**31 - 1, -1, 0, 1, -(2**14), 2**14, 2**29 - 1, -(2**29)])
    source.deliver("i2s_deliver", played.astype(np.int32))
    right = np.clip(played >> 14, -32768, 32767)  # NumPy's shift rounds down
    assert (source.all() == right).all()


def test_buffers_that_overflow_are_a_gap_and_are_emptied(i2s: Source) -> None:
    i2s.start()
    i2s.deliver("i2s_deliver", words(np.full(1792, 1, np.int16)))
    assert len(i2s.all()) == 1792  # 7 buffers, all of it
    i2s.deliver("i2s_deliver", words(np.full(1793, 2, np.int16)))
    assert i2s.read() == LOST
    assert len(i2s.samples()) == 0
    i2s.deliver("i2s_deliver", words(np.full(100, 3, np.int16)))
    assert i2s.all().tolist() == [3] * 100


def test_a_driver_that_fails_later_is_told(i2s: Source) -> None:
    i2s.start()
    i2s.set("i2s_read_fails", 1)
    assert i2s.read() == BUS
    i2s.stop()
    i2s.set("i2s_read_fails", 0)
    assert i2s.start() == OK


CAMERAS = {
    "nano33ble": ("grey8", [4, 4, 5]),
    "esp32": ("grey8", [1, 3, 1]),
}


@pytest.fixture(params=CAMERAS)
def camera(request: pytest.FixtureRequest, made: Make) -> Source:
    source = made({"kind": "camera"}, PICTURE, request.param, "cameras.cpp", np.uint8)
    source.set("camera_bytes", 160 * 120)
    return source


def picture(number: int) -> NDArray[np.uint8]:
    return (7 * np.arange(160 * 120) + number).astype(np.uint8)


def test_pictures_come_whole_one_after_the_other(camera: Source) -> None:
    assert camera.start() == OK
    for number in range(3):
        parts: list[NDArray[Any]] = []
        while sum(map(len, parts)) < 160 * 120:
            parts.append(camera.samples(256))
        assert (np.concatenate(parts) == picture(number)).all()
        assert camera.value("camera_pictures") == number + 1
        assert camera.value("camera_lent") == 0


def test_a_camera_that_is_not_there_is_absent(camera: Source) -> None:
    camera.set("camera_fails", 1)
    assert camera.start() == ABSENT
    camera.set("camera_fails", 0)
    assert camera.start() == OK


def test_a_picture_that_was_interrupted_is_never_continued(camera: Source) -> None:
    camera.start()
    camera.samples(100)
    camera.stop()
    assert (camera.value("camera_runs"), camera.value("camera_lent")) == (0, 0)
    camera.start()
    assert (camera.samples(256) == picture(1)[:256]).all()


@pytest.mark.parametrize(("board", "settings"), [("nano33ble", [4, 4, 5]), ("esp32", [1, 3, 1])])
def test_size_and_format_are_what_the_features_take(
    made: Make, board: str, settings: list[int]
) -> None:
    source = made({"kind": "camera"}, PICTURE, board, "cameras.cpp", np.uint8)
    source.start()
    first = 0 if board == "nano33ble" else 3
    assert [source.library.camera_setting(first + which) for which in range(3)] == settings


@pytest.mark.parametrize("failure", ["no picture", "of another size"])
def test_a_camera_that_gives_no_such_picture_is_told(made: Make, failure: str) -> None:
    source = made({"kind": "camera"}, PICTURE, "esp32", "cameras.cpp", np.uint8)
    source.set("camera_bytes", 160 * 120)
    source.start()
    source.set("camera_bytes" if failure == "of another size" else "camera_fails", 96)
    assert source.read() == BUS
    assert source.value("camera_lent") == 0


@pytest.mark.parametrize("kind", CHIPS)
def test_a_motion_sensor_is_read_through_wire(tmp_path: Path, kind: str) -> None:
    chip, board, rate = CHIPS[kind]
    library = compiled(tmp_path, {"kind": kind}, {**MOTION, "rate": rate}, board, "wire.cpp")
    driver = Driver(library, chip(), np.float32, 6)
    assert driver.start() == OK
    steps = feed(driver, measured(10)).astype(np.float32)
    sizes = np.repeat(np.array((0.122e-3, 70e-3), np.float32), 3)
    assert (driver.rows() == steps * sizes).all()
    assert_bus(library, driver.chip)
    driver.chip.nack_after = 0
    assert driver.read() == BUS


def assert_bus(library: Path, chip: Chip) -> None:
    """Which bus, at 400 kHz, with pins where the board has the sensor at others."""
    loaded = ctypes.CDLL(str(library))
    names = ("wire_hz", "wire_sda", "wire_scl")
    settings = [ctypes.c_int.in_dll(loaded, name).value for name in names]
    own_pins = chip.address == CHIPS["lsm6dsl"][0].address
    assert settings == [400_000, *((27, 26) if own_pins else (-1, -1))]
    assert loaded.wire_is_first() == own_pins


@pytest.mark.skipif(shutil.which("arm-none-eabi-g++") is None, reason="no compiler for Arm")
@pytest.mark.parametrize(
    ("source", "features", "board"),
    [
        ({"kind": "pdm"}, AUDIO, "nano33ble"),
        ({"kind": "pdm"}, AUDIO, "nano_rp2040_connect"),
        ({"kind": "pdm"}, AUDIO, "portenta_h7"),
        ({"kind": "lsm9ds1"}, {**MOTION, "rate": 119}, "nano33ble"),
        ({"kind": "lsm6dsl"}, MOTION, "b_l475e_iot01a"),
        ({"kind": "camera"}, PICTURE, "nano33ble"),
    ],
)
def test_a_source_compiles_for_the_core_of_its_board(
    tmp_path: Path, source: dict[str, Any], features: dict[str, Any], board: str
) -> None:
    project = write_files(tmp_path, source_project(source, features_of(features), board))
    sensors = project / "lib/sensors"
    includes = [f"-I{path}" for path in (*own_folders(project), STAND_IN, ARDUINO)]
    flags = [*load_board(board).core.gcc_flags, "-O2", "-DARDUINO=10819", *includes]
    for path in sorted(sensors.glob("*.cpp")):
        run(["arm-none-eabi-g++", *STRICT, *flags, "-fno-exceptions", "-c", str(path)], tmp_path)
