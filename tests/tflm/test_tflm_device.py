"""Engine tflm with a real TensorFlow Lite Micro, on an emulated board.

These need the directory that TINYML_TFLM_DIR names, with a library for Cortex-M4 with FPU; without
one they are skipped, and nothing here was proven.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from shared import shared_model
from tflm_case import float_kws, int16x8, real_tflm

import tinyml_tool as tt
from tinyml_tool.errors import DeviceError
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.verify.rounding import FLOAT_TOLERANCE

BOARD = "qemu-m4"
SYSTEMS = ("platformio", "cmake")


@pytest.fixture(scope="module", autouse=True)
def tflm() -> Path:
    return real_tflm(BOARD)


def kept(model: bytes, folder: Path, name: str = "m") -> Path:
    path = folder / f"{name}.tflite"
    path.write_bytes(model)
    return path


@pytest.mark.parametrize("arena", [400, 512, 640])
def test_whatever_becomes_of_an_arena_that_is_too_small_it_is_named(
    tmp_path: Path, arena: int
) -> None:
    """TFLM itself crashes on some: then nothing but the hint can tell."""
    model = shared_model("hello_world_int8.tflite")
    tt.generate(model, engine="tflm", output=tmp_path / "p", arena_bytes=arena)
    with pytest.raises(DeviceError) as caught:
        tt.run(tmp_path / "p", time_limit=3)
    assert "--arena" in str(caught.value.hint)
    assert f"{arena}" in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize(
    "name", ["hello_world_int8.tflite", "kws_ref_model.tflite", "person_detect.tflite"]
)
def test_an_int8_model_is_bit_exact_in_every_layer(name: str, tmp_path: Path) -> None:
    path = shared_model(name)
    evidence = tt.deploy(path, board=BOARD, engine="tflm", output=tmp_path / "p", vectors=3)
    assert evidence.engine == "tflm"
    assert evidence.parity.exact
    assert evidence.parity.layers == len(tt.inspect(path).layers)
    assert evidence.instructions_per_inference


@pytest.mark.parametrize("system", SYSTEMS)
def test_an_int16x8_model_is_bit_exact_in_every_layer(system: str, tmp_path: Path) -> None:
    path = kept(int16x8(), tmp_path)
    evidence = tt.deploy(path, engine="tflm", output=tmp_path / "p", vectors=8, system=system)
    assert evidence.parity.exact
    assert evidence.parity.layers == 2


def test_a_float_model_agrees_but_for_its_rounding(tmp_path: Path) -> None:
    """How a library was compiled decides on it: fused multiplications, the C library's expf()."""
    path = kept(float_kws(), tmp_path)
    parity = tt.deploy(path, engine="tflm", output=tmp_path / "p", vectors=4).parity
    assert parity.agrees
    assert parity.layers == len(tt.inspect(path, engine="tflm").layers)
    assert parity.worst_rounding < FLOAT_TOLERANCE / 8


def test_another_models_answers_are_no_rounding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One weight in a thousand off by one part in a hundred must show."""
    path = kept(float_kws(), tmp_path)
    spoilt = TflmReference(float_kws(spoilt=True), "m")
    monkeypatch.setattr("tinyml_tool.api.deploy.TflmReference", lambda data, name: spoilt)
    parity = tt.deploy(path, engine="tflm", output=tmp_path / "p", vectors=2).parity
    assert not parity.agrees
    assert parity.first_difference is not None
    assert parity.first_difference.place.layer == 0


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hello") / "p"
    tt.generate(shared_model("hello_world_int8.tflite"), engine="tflm", output=folder)
    return folder


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_firmware_has_no_heap_no_printf_and_no_path_of_this_machine(
    hello: Path, tflm: Path, system: str
) -> None:
    firmware = tt.build(hello, system=system)
    names = {symbol.name for symbol in firmware.facts.symbols}
    assert not names & {"malloc", "_malloc_r", "_sbrk", "printf", "vfiprintf", "_vfprintf_r"}
    content = firmware.elf.read_bytes()
    assert str(hello).encode() not in content
    assert str(tflm.resolve()).encode() not in content
    assert firmware.facts.arena_bytes == arena_of(hello)
    assert firmware.tflm is not None


def arena_of(project: Path) -> int:
    text = (project / "lib" / "model" / "model.h").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("#define MODEL_ARENA_BYTES")]
    return int(line.split()[-1])


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_smallest_program_builds(hello: Path, system: str) -> None:
    assert tt.build(hello, system=system, program="minimal").facts.flash_bytes > 10_000


def test_our_own_code_compiles_without_warnings(hello: Path) -> None:
    tt.build(hello, system="cmake")
    log = (hello / "build" / "build.log").read_text()
    assert "warning:" not in log


@pytest.mark.parametrize("arena", [19_008, 22_000])
def test_an_arena_that_is_too_small_is_told_with_the_numbers(tmp_path: Path, arena: int) -> None:
    model = shared_model("kws_ref_model.tflite")
    tt.generate(model, engine="tflm", output=tmp_path / "p", arena_bytes=arena)
    with pytest.raises(DeviceError, match=rf"arena of {arena:,} bytes is too small by at least \d"):
        tt.run(tmp_path / "p")


@pytest.mark.parametrize(
    "name", ["hello_world_int8.tflite", "kws_ref_model.tflite", "ad01_int8.tflite"]
)
def test_the_arena_that_is_advised_is_enough(name: str, tmp_path: Path) -> None:
    first = tt.deploy(shared_model(name), engine="tflm", output=tmp_path / "p", vectors=1).arena
    assert 0 < first.used_bytes < first.enough_bytes < first.bytes
    second = tt.deploy(
        shared_model(name),
        engine="tflm",
        output=tmp_path / "q",
        vectors=1,
        arena_bytes=first.enough_bytes,
    )
    assert second.parity.exact
    assert second.arena.used_bytes == first.used_bytes
    assert second.arena.spare_bytes == 0


def test_a_user_may_build_it_with_plain_cmake(hello: Path, tflm: Path) -> None:
    commands = (["cmake", "--preset", BOARD], ["cmake", "--build", "--preset", BOARD])
    (hello / "tflm").symlink_to(tflm)  # the project's own folder, in place of the variable
    for command in commands:
        done = subprocess.run(
            command, cwd=hello, env=without_variable(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert (hello / "build" / BOARD / "firmware.elf").is_file()


def without_variable() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "TINYML_TFLM_DIR"}
