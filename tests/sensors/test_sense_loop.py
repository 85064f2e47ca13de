"""What the application makes of a source: windows, gaps, failures, pauses."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from board_project import run, write_files
from source_case import AUDIO, features_of, source_project

from tinyml_tool.firmware.build_flags import C_WARNING_FLAGS, WARNING_FLAGS

SHIM = Path(__file__).parent / "sense_shim.c"
STRICT = ("-std=c11", "-Werror", *WARNING_FLAGS, *C_WARNING_FLAGS)
ABSENT, BUS, REFUSED, LOST, ENDED = -1, -2, -3, -4, -5
WINDOW = 10


class Sense:
    """tinyml_sense.c as a library of this computer; samples are numbered from 0 on."""

    def __init__(self, library: Path) -> None:
        self.library = ctypes.CDLL(str(library))
        self.library.tinyml_sense.restype = ctypes.c_bool
        self.library.tinyml_sense_idle.restype = ctypes.c_bool

    def value(self, name: str) -> int:
        return ctypes.c_int.in_dll(self.library, f"shim_{name}").value

    def set(self, name: str, value: int) -> None:
        ctypes.c_int.in_dll(self.library, f"shim_{name}").value = value

    def wait(self, ticks: int) -> None:
        ctypes.c_longlong.in_dll(self.library, "shim_ticks").value += ticks

    @property
    def text(self) -> list[str]:
        place = (ctypes.c_char * 4096).in_dll(self.library, "shim_text")
        return place.value.decode().splitlines()

    def give(self, *results: int) -> None:
        """What the next reads return."""
        self.library.shim_give((ctypes.c_int * len(results))(*results), len(results))

    def windows(self, calls: int) -> list[list[int]]:
        """The windows that are complete in so many calls, by the numbers of their samples."""
        found = []
        for _ in range(calls):
            if self.library.tinyml_sense():
                window = np.zeros(WINDOW, np.int16)
                assert self.library.shim_window(ctypes.c_void_p(window.ctypes.data))
                found.append(window.tolist())
        return found

    @property
    def idle(self) -> bool:
        return bool(self.library.tinyml_sense_idle())

    @property
    def gaps(self) -> int:
        return int(self.library.tinyml_sense_gaps())


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sense")
    files = source_project({"kind": "replay"}, features_of(AUDIO), "qemu-m4")
    project = write_files(folder, files)
    names = ("sensors", "features", "model", "link", "port")
    includes = [f"-I{project / 'lib' / name}" for name in names]
    options = [
        "-shared",
        "-fPIC",
        "-O1",
        "-fsanitize=undefined",
        "-fsanitize-undefined-trap-on-error",
    ]
    sources = [str(project / "lib/sensors/tinyml_sense.c"), str(SHIM)]
    run(["gcc", *STRICT, *options, *includes, *sources, "-o", str(folder / "sense.so")], folder)
    return folder / "sense.so"


@pytest.fixture
def sense(library: Path, tmp_path: Path) -> Sense:
    """A fresh copy: what is static starts anew."""
    return Sense(Path(shutil.copy(library, tmp_path / "sense.so")))


def numbers(*starts: int) -> list[list[int]]:
    return [list(range(start, start + WINDOW)) for start in starts]


@pytest.mark.parametrize("pieces", [(10, 10, 10), (30,), (3, 7, 11, 1, 8), (1,) * 30, (29, 1)])
def test_every_sample_is_in_a_window_whatever_the_pieces(
    sense: Sense, pieces: Sequence[int]
) -> None:
    sense.give(*pieces)
    assert sense.windows(60) == numbers(0, 10, 20)
    assert sense.value("starts") == 1


def test_it_is_idle_when_there_was_nothing_to_do_and_only_then(sense: Sense) -> None:
    sense.give(10, 0, 25, 0)
    busy = []
    for _ in range(7):
        sense.windows(1)
        busy.append(not sense.idle)
    assert busy == [True, False, True, True, True, False, False]


def test_no_window_reaches_across_a_gap(sense: Sense) -> None:
    sense.give(7, LOST, 13, LOST, LOST, 20)
    assert sense.windows(20) == numbers(7, 20, 30)
    assert sense.gaps == 3
    assert sense.value("starts") == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (ABSENT, "the sensor does not answer, or is another part"),
        (REFUSED, "its library refuses the settings"),
    ],
)
def test_a_source_that_does_not_start_is_told_once_and_tried_each_second(
    sense: Sense, status: int, words: str
) -> None:
    sense.set("start_status", status)
    for _ in range(5):
        assert sense.windows(10) == []
        assert sense.idle
        sense.wait(1000)
    assert (sense.value("starts"), sense.gaps) == (5, 0)
    assert sense.text == [f"source replay: {words}"]
    sense.set("start_status", 0)
    sense.give(10)
    assert sense.windows(3) == numbers(0)


def test_less_than_a_second_after_a_failure_nothing_is_tried(sense: Sense) -> None:
    sense.set("start_status", ABSENT)
    sense.windows(1)
    sense.wait(999)
    sense.windows(5)
    assert sense.value("starts") == 1


def test_a_source_that_fails_later_is_stopped_and_begins_anew(sense: Sense) -> None:
    sense.give(5, BUS, 10)
    assert sense.windows(5) == []
    assert sense.text == ["source replay: the sensor does not answer any more"]
    assert (sense.value("starts"), sense.value("stops"), sense.gaps) == (1, 1, 1)
    sense.wait(1000)
    assert sense.windows(3) == numbers(5)
    assert sense.value("starts") == 2


def test_the_same_failure_is_told_again_after_there_were_samples(sense: Sense) -> None:
    sense.give(BUS, 3, BUS)
    for _ in range(2):
        sense.windows(4)
        sense.wait(1000)
    assert len(sense.text) == 2


def test_a_recording_that_is_over_stays_over(sense: Sense) -> None:
    sense.give(10, ENDED, 10)
    assert sense.windows(5) == numbers(0)
    sense.wait(10_000)
    assert sense.windows(5) == []
    assert (sense.value("starts"), sense.value("stops"), sense.gaps) == (1, 1, 0)
    assert sense.text == ["source replay: the recording is over"]


def test_a_pause_stops_the_source_and_windows_begin_anew_after_it(sense: Sense) -> None:
    sense.give(6, 10)
    assert sense.windows(1) == []
    for _ in range(3):
        sense.library.tinyml_sense_stop()
    assert sense.value("stops") == 1
    assert sense.windows(2) == numbers(6)
    assert (sense.value("starts"), sense.value("forgotten")) == (2, 2)


def test_without_a_model_nothing_is_read(sense: Sense) -> None:
    sense.set("no_model", 1)
    assert sense.windows(3) == []
    assert sense.idle
    assert sense.value("starts") == 0
