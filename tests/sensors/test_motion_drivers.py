"""The drivers of motion sensors, executed on the host against simulated chips, and built for Arm.

No chip of silicon was read: the simulation knows what the data sheets say, and no more.
"""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from board_project import run, write_files
from motion_chips import Chip, Lsm6dsl, Lsm9ds1
from source_case import MOTION, RAW_MOTION, features_of, source_project

from tinyml_tool.boards import load_board
from tinyml_tool.firmware.build_flags import C_WARNING_FLAGS, WARNING_FLAGS

SHIM = Path(__file__).parent / "i2c_shim.c"
STRICT = ("-std=c11", "-Werror", *WARNING_FLAGS, *C_WARNING_FLAGS)
UNDEFINED = ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")
CHIPS: dict[str, tuple[type[Chip], str, int]] = {
    "lsm6dsl": (Lsm6dsl, "b_l475e_iot01a", 104),
    "lsm9ds1": (Lsm9ds1, "nano33ble", 119),
}
OK, ABSENT, BUS, LOST = 0, -1, -2, -4
CANARY = 77
each_chip = pytest.mark.parametrize("kind", CHIPS)

_WRITE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint8, ctypes.c_uint8, ctypes.c_uint8)
_READ = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_uint8, ctypes.c_uint8, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t
)


class Driver:
    """A driver as a library of this computer, connected to a simulated chip."""

    def __init__(self, library: Path, chip: Chip, dtype: type, channels: int) -> None:
        self.chip = chip
        self._library = ctypes.CDLL(str(library))
        self._dtype, self.channels = np.dtype(dtype), channels
        self._functions = (_WRITE(chip.on_write), _READ(self._on_read))
        self._library.shim_connect(*self._functions)

    def _on_read(self, device: int, register: int, data: Any, count: int) -> int:
        answer = self.chip.on_read(device, register, count)
        if answer is None:
            return 0
        assert len(answer) == count
        ctypes.memmove(data, answer, count)
        return 1

    @property
    def bus_starts(self) -> int:
        return ctypes.c_int.in_dll(self._library, "shim_starts").value

    def start(self) -> int:
        return int(self._library.tinyml_source_start())

    def stop(self) -> None:
        self._library.tinyml_source_stop()

    def read(self, count: int = 60) -> np.ndarray[Any, Any] | int:
        """Rows, or a status; what lies behind the buffer must stay as it was."""
        place = np.full(count + 8, CANARY, self._dtype)
        got = int(
            self._library.tinyml_source_read(
                ctypes.c_void_p(place.ctypes.data), ctypes.c_size_t(count)
            )
        )
        if got < 0:
            assert (place[count:] == CANARY).all()
            return got
        assert got <= count
        assert (place[got:] == CANARY).all()
        return place[:got].reshape(-1, self.channels)

    def rows(self, count: int = 60) -> np.ndarray[Any, Any]:
        found = self.read(count)
        assert not isinstance(found, int), found
        return found


def built(folder: Path, kind: str, **source: object) -> Driver:
    """A driver of its own: the library is compiled once, but each copy has its own memory."""
    chip, _, _ = CHIPS[kind]
    channels = 6 if source.get("axes", "both") == "both" else 3
    raw = source.get("units", "raw") == "raw"
    library = folder / "driver.so"
    library.write_bytes(_compiled(kind, channels, raw, tuple(sorted(source.items()))))
    return Driver(library, chip(), np.int16 if raw else np.float32, channels)


@cache
def _compiled(kind: str, channels: int, raw: bool, source: tuple[tuple[str, Any], ...]) -> bytes:
    _, board, rate = CHIPS[kind]
    features = features_of(RAW_MOTION if raw else MOTION, channels=channels, rate=rate)
    files = source_project({"kind": kind, **dict(source)}, features, board)
    with TemporaryDirectory() as place:
        project = write_files(Path(place), files)
        sensors = project / "lib/sensors"
        folders = [f"-I{sensors}", f"-I{project / 'lib/features'}"]
        sources = [str(sensors / f"source_{kind}.c"), str(SHIM)]
        options = ["-shared", "-fPIC", "-O1", "-DSOURCE_REPLAY=0", *STRICT, *UNDEFINED]
        run(["gcc", *options, *folders, *sources, "-o", "driver.so"], project)
        return (project / "driver.so").read_bytes()


@pytest.fixture
def driver(tmp_path: Path, kind: str) -> Driver:
    return built(tmp_path, kind)


def measured(count: int, seed: int = 0) -> list[tuple[list[int], list[int]]]:
    """Accelerations and rotations, extremes among them."""
    chance = np.random.default_rng(seed)
    rows = chance.integers(-32768, 32768, (count, 6))
    for row, value in enumerate((-32768, 32767, -1, 0, 255, 256, -256)[:count]):
        rows[row] = value
    return [(row[:3].tolist(), row[3:].tolist()) for row in rows]


def feed(driver: Driver, rows: Sequence[tuple[list[int], list[int]]]) -> np.ndarray[Any, Any]:
    for acceleration, rotation in rows:
        driver.chip.feed(acceleration, rotation)
    return np.array([[*acceleration, *rotation] for acceleration, rotation in rows])


@each_chip
def test_a_chip_is_reset_and_set_up_and_gives_its_rows_in_order(driver: Driver) -> None:
    driver.chip.registers[driver.chip.control] = 0x05 & ~1  # what an older program left
    assert driver.start() == OK
    assert (driver.chip.resets, driver.bus_starts) == (1, 1)
    right = feed(driver, measured(20))
    found = [driver.rows(), driver.rows(), driver.rows()]
    assert [len(rows) for rows in found] == [10, 10, 0]
    assert (np.concatenate(found) == right).all()
    assert driver.chip.longest_read <= 32


@each_chip
@pytest.mark.parametrize("axes", ["accelerometer", "gyroscope"])
def test_one_sensor_alone_gives_its_three_axes(tmp_path: Path, kind: str, axes: str) -> None:
    driver = built(tmp_path, kind, axes=axes)
    assert driver.start() == OK
    right = feed(driver, measured(8))[:, slice(3) if axes == "accelerometer" else slice(3, 6)]
    assert (driver.rows() == right).all()


@each_chip
def test_a_gyroscope_that_is_not_read_is_off(tmp_path: Path, kind: str) -> None:
    driver = built(tmp_path, kind, axes="accelerometer")
    driver.start()
    assert driver.chip.registers[{"lsm6dsl": 0x11, "lsm9ds1": 0x10}[kind]] == 0


@pytest.mark.parametrize(
    ("kind", "range_g", "range_dps", "registers"),
    [
        # 104 Hz: ODR 4 in bits 4 to 7, full scale in bits 2 and 3
        ("lsm6dsl", 2, 245, {0x10: 0x40, 0x11: 0x40}),
        ("lsm6dsl", 16, 500, {0x10: 0x44, 0x11: 0x44}),
        ("lsm6dsl", 4, 1000, {0x10: 0x48, 0x11: 0x48}),
        ("lsm6dsl", 8, 2000, {0x10: 0x4C, 0x11: 0x4C}),
        # 119 Hz: ODR 3 in bits 5 to 7, full scale in bits 3 and 4
        ("lsm9ds1", 2, 245, {0x20: 0x60, 0x10: 0x60}),
        ("lsm9ds1", 16, 500, {0x20: 0x68, 0x10: 0x68}),
        ("lsm9ds1", 4, 2000, {0x20: 0x70, 0x10: 0x78}),
        ("lsm9ds1", 8, 2000, {0x20: 0x78, 0x10: 0x78}),
    ],
)
def test_rate_and_ranges_stand_in_the_fields_of_the_data_sheet(
    tmp_path: Path, kind: str, range_g: int, range_dps: int, registers: dict[int, int]
) -> None:
    driver = built(tmp_path, kind, range_g=range_g, range_dps=range_dps)
    driver.start()
    assert {place: driver.chip.registers[place] for place in registers} == registers


STEPS = {
    ("lsm6dsl", "g"): (0.122e-3, 70e-3),
    ("lsm9ds1", "g"): (0.122e-3, 70e-3),
    ("lsm6dsl", "si"): (0.122e-3 * 9.80665, np.deg2rad(70e-3)),
    ("lsm9ds1", "si"): (0.122e-3 * 9.80665, np.deg2rad(70e-3)),
}


@pytest.mark.parametrize(("kind", "units"), STEPS)
def test_units_are_one_product_in_single_precision(tmp_path: Path, kind: str, units: str) -> None:
    driver = built(tmp_path, kind, units=units)
    driver.start()
    steps = feed(driver, measured(10)).astype(np.float32)
    sizes = np.repeat(np.array(STEPS[kind, units], np.float32), 3)
    assert (driver.rows() == steps * sizes).all()


@each_chip
def test_another_part_or_none_is_absent(driver: Driver) -> None:
    driver.chip.registers[0x0F] = 0x33
    assert driver.start() == ABSENT
    driver.chip.power_on()
    driver.chip.nack_after = 0
    assert driver.start() == ABSENT


@each_chip
def test_a_part_that_never_ends_its_reset_is_absent(driver: Driver) -> None:
    driver.chip.reset_reads = 10**6
    assert driver.start() == ABSENT


@each_chip
def test_a_part_that_goes_away_is_told_at_whatever_transfer(driver: Driver) -> None:
    assert driver.start() == OK
    feed(driver, measured(2))
    transfers = 0
    while True:
        driver.chip.power_on()
        driver.chip.nack_after = transfers
        if (status := driver.start()) == OK:
            break
        assert status in (ABSENT, BUS)
        transfers += 1
    assert transfers > 8  # each one of them was refused once
    driver.chip.nack_after = None
    feed(driver, measured(3))
    for after in range(3):
        driver.chip.nack_after = after
        assert driver.read() == BUS
    driver.stop()  # a stop that nobody hears is none that fails


@each_chip
def test_a_start_after_a_failure_begins_anew(driver: Driver) -> None:
    driver.chip.nack_after = 5
    assert driver.start() != OK
    driver.chip.nack_after = None
    assert driver.start() == OK
    right = feed(driver, measured(4))
    assert (driver.rows() == right).all()


@each_chip
def test_an_overrun_is_told_once_and_no_row_is_torn(driver: Driver) -> None:
    driver.start()
    feed(driver, measured(400))
    assert driver.read() == LOST
    assert len(driver.rows()) == 0
    right = feed(driver, measured(9, seed=3))
    assert (driver.rows() == right).all()


@each_chip
def test_a_full_fifo_that_lost_nothing_is_read_whole(driver: Driver) -> None:
    driver.start()
    rows = 341 if isinstance(driver.chip, Lsm6dsl) else 32
    right = feed(driver, measured(rows))
    found = []
    while len(part := driver.rows()) > 0:
        found.append(part)
    assert (np.concatenate(found) == right).all()


@each_chip
def test_the_flag_of_an_overrun_alone_is_enough(driver: Driver) -> None:
    driver.start()
    feed(driver, measured(3))
    assert isinstance(driver.chip, Lsm6dsl | Lsm9ds1)
    driver.chip.overrun = True
    assert driver.read() == LOST
    assert not driver.chip.overrun
    assert len(driver.rows()) == 0


def test_a_shifted_fifo_of_the_lsm6dsl_is_emptied(tmp_path: Path) -> None:
    driver = built(tmp_path, "lsm6dsl")
    driver.start()
    feed(driver, measured(3))
    chip = driver.chip
    assert isinstance(chip, Lsm6dsl)
    chip.words.popleft()
    chip.place = 1
    assert driver.read() == LOST
    right = feed(driver, measured(3, seed=1))
    assert (driver.rows() == right).all()


def test_half_a_row_of_the_lsm6dsl_waits_for_its_other_half(tmp_path: Path) -> None:
    driver = built(tmp_path, "lsm6dsl")
    driver.start()
    feed(driver, measured(2))
    chip = driver.chip
    assert isinstance(chip, Lsm6dsl)
    chip.words.extend([1, 2, 3])  # the gyroscope's part of the third row
    assert len(driver.rows()) == 2
    assert len(driver.rows()) == 0
    chip.words.extend([4, 5, 6])
    assert driver.rows().tolist() == [[4, 5, 6, 1, 2, 3]]


@each_chip
def test_only_whole_rows_are_read_into_what_there_is_place_for(driver: Driver) -> None:
    driver.start()
    right = feed(driver, measured(5))
    found = [driver.rows(count) for count in (6, 11, 17, 5, 64)]
    assert [len(rows) for rows in found] == [1, 1, 2, 0, 1]
    assert (np.concatenate(found) == right).all()


@each_chip
def test_a_stopped_sensor_collects_nothing_and_can_be_started_again(driver: Driver) -> None:
    driver.start()
    driver.stop()
    rates = (0x10, 0x11) if isinstance(driver.chip, Lsm6dsl) else (0x10, 0x20)
    assert all(driver.chip.registers[place] == 0 for place in rates)
    feed(driver, measured(4))
    driver.start()
    assert len(driver.rows()) == 0
    right = feed(driver, measured(4, seed=2))
    assert (driver.rows() == right).all()


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="no compiler for Arm")
@pytest.mark.parametrize("units", ["raw", "g"])
@pytest.mark.parametrize("core", ["qemu-m0", "qemu-m4"])
@each_chip
def test_a_driver_compiles_for_arm_without_a_warning(
    tmp_path: Path, kind: str, core: str, units: str
) -> None:
    raw = units == "raw"
    _, board, rate = CHIPS[kind]
    features = features_of(RAW_MOTION if raw else MOTION, rate=rate)
    project = write_files(tmp_path, source_project({"kind": kind, "units": units}, features, board))
    sensors = project / "lib/sensors"
    folders = [f"-I{sensors}", f"-I{project / 'lib/features'}"]
    flags = [*load_board(core).core.gcc_flags, "-O2", "-DSOURCE_REPLAY=0", *STRICT, *folders]
    run(["arm-none-eabi-gcc", *flags, "-c", str(sensors / f"source_{kind}.c")], tmp_path)
