"""`[source]`: read strictly, checked against the board and against what the features take."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from source_case import AUDIO, MICRO_AUDIO, MOTION, PICTURE, RAW_MOTION, features_of, plan_of

from tinyml_tool.boards import load_board, load_boards
from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.motion_registers import MOTION_SENSORS
from tinyml_tool.preprocess.source_plan import SourcePlan, plan_source
from tinyml_tool.preprocess.source_spec import KINDS, parse_source
from tinyml_tool.preprocess.spec_toml import source_toml
from tinyml_tool.strict_toml import read_toml


def constant(plan: SourcePlan, name: str) -> str:
    (found,) = (item.value for item in plan.constants if item.name == name)
    return found


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "'kind' is missing"),
        ({"kind": "pmd"}, "unknown kind 'pmd', did you mean 'pdm'"),
        ({"kind": 3}, "'kind' = 3"),
        ({"kind": "pdm", "rte": 16000}, "unknown key 'rte', did you mean 'rate'"),
        ({"kind": "pdm", "rate": 16000.0}, "'rate' = 16000.0"),
        ({"kind": "pdm", "buffer_ms": 5}, "'buffer_ms' = 5"),
        ({"kind": "lsm9ds1", "range_dps": 1000}, "'range_dps' = 1000"),
        ({"kind": "lsm6dsl", "axes": "xyz"}, "'axes' = 'xyz'"),
        ({"kind": "i2s", "shift": 17}, "'shift' = 17"),
        ({"kind": "camera", "fps": 2}, "'fps' = 2"),
        ({"kind": "replay", "file": 'a"b'}, "'file'"),
        ({"kind": "replay", "file": "a\\b"}, "'file'"),
        ({"kind": "replay", "rate": 16000}, "unknown key 'rate'"),
    ],
)
def test_a_wrong_key_or_value_is_named(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_source(table, "[source]")
    assert words in caught.value.message


@pytest.mark.parametrize("kind", KINDS)
def test_a_spec_is_written_as_it_is_read(kind: str) -> None:
    spec = parse_source({"kind": kind}, "[source]")
    assert parse_source(read_toml(source_toml(spec), "x")["source"], "[source]") == spec


MISMATCHES: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"kind": "pdm", "rate": 41667}, AUDIO, "nano33ble", "rate = 41667, but [features] take 16000"),
    (
        {"kind": "pdm"},
        {"kind": "audio", "sample_rate": 8000},
        "nano33ble",
        "gives 16000, 41667 samples a second, but [features] take 8000",
    ),
    ({"kind": "pdm"}, MOTION, "nano33ble", "gives sound, but [features] are of kind 'series'"),
    ({"kind": "lsm6dsl"}, AUDIO, "b_l475e_iot01a", "gives motion, but [features] are of kind"),
    ({"kind": "camera"}, MOTION, "nano33ble", "gives pictures, but [features] are of kind"),
    (
        {"kind": "lsm9ds1"},
        {**MOTION, "rate": 100},
        "nano33ble",
        "gives 119, 238, 476, 952 samples a second, but [features] take 100",
    ),
    (
        {"kind": "lsm6dsl", "axes": "accelerometer"},
        MOTION,
        "b_l475e_iot01a",
        "gives 3 channels (accelerometer), but [features] take 6",
    ),
    (
        {"kind": "lsm6dsl"},
        {**MOTION, "channels": 9},
        "b_l475e_iot01a",
        "gives 3 channels (accelerometer), but [features] take 9",
    ),
    (
        {"kind": "lsm6dsl", "units": "raw"},
        MOTION,
        "b_l475e_iot01a",
        "units = 'raw' are int16 samples, but [features] take float32",
    ),
    (
        {"kind": "lsm6dsl", "units": "si"},
        RAW_MOTION,
        "b_l475e_iot01a",
        "units = 'si' are float32 samples, but [features] take int16",
    ),
    (
        {"kind": "camera"},
        {**PICTURE, "source_width": 96, "source_height": 96},
        "nano33ble",
        "gives pictures of 320 x 240, 176 x 144, 160 x 120 on nano33ble, but [features] take 96",
    ),
    (
        {"kind": "camera"},
        {**PICTURE, "format": "rgb565"},
        "nano33ble",
        "gives grey8, rgb565be, yuyv on nano33ble, but [features] take rgb565",
    ),
    ({"kind": "i2s", "ws": 26}, AUDIO, "esp32", "two of its pins are the same: bclk = 26, ws = 26"),
    ({"kind": "pdm"}, AUDIO, "esp32", "board 'esp32' has no source 'pdm'; it has i2s, camera"),
    ({"kind": "pdm"}, AUDIO, "teensy41", "board 'teensy41' has no source 'pdm': its file names"),
    ({"kind": "pdm"}, AUDIO, "qemu-m4", "board 'qemu-m4' has no source 'pdm'; it has replay"),
    ({"kind": "replay"}, AUDIO, "nano33ble", "board 'nano33ble' has no source 'replay'"),
]


@pytest.mark.parametrize(("source", "features", "board", "words"), MISMATCHES)
def test_what_does_not_fit_is_refused_with_both_sides(
    source: dict[str, Any], features: dict[str, Any], board: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of(source, features_of(features), board)
    assert words in caught.value.message
    assert caught.value.hint or "pins" in words


def test_a_source_without_features_is_refused() -> None:
    spec = parse_source({"kind": "replay"}, "[source]")
    with pytest.raises(ConfigError, match=r"the model has no \[features\]"):
        plan_source(spec, None, load_board("qemu-m4"))


def test_a_rate_that_no_motion_sensor_has_comes_with_the_way_out() -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of({"kind": "lsm6dsl"}, features_of(MOTION, rate=100), "b_l475e_iot01a")
    assert caught.value.hint == "train with rate = 104 and, if it must be 100, resample = 100"


@pytest.mark.parametrize(
    ("source", "features", "board"),
    [
        ({"kind": "pdm"}, AUDIO, "nano33ble"),
        ({"kind": "pdm"}, MICRO_AUDIO, "nano_rp2040_connect"),
        ({"kind": "pdm"}, {"kind": "audio", "sample_rate": 32000}, "portenta_h7"),
        ({"kind": "i2s"}, AUDIO, "esp32s3"),
        ({"kind": "i2s"}, {"kind": "audio", "sample_rate": 44100}, "esp32c3"),
        ({"kind": "lsm9ds1"}, {**MOTION, "rate": 119}, "nano33ble"),
        ({"kind": "lsm6dsl"}, RAW_MOTION, "b_l475e_iot01a"),
        ({"kind": "camera"}, PICTURE, "nano33ble"),
        ({"kind": "camera"}, {**PICTURE, "format": "rgb565be"}, "esp32"),
        ({"kind": "replay"}, AUDIO, "qemu-m0"),
    ],
)
def test_what_fits_is_planned(source: dict[str, Any], features: dict[str, Any], board: str) -> None:
    plan = plan_of(source, features_of(features), board)
    assert plan.spec.kind == source["kind"]
    assert plan.ram_bytes > 0


def test_every_kind_is_some_boards() -> None:
    assert {kind for board in load_boards().values() for kind in board.source_kinds} == set(KINDS)


def test_sound_is_kept_for_the_time_that_was_asked() -> None:
    plan = plan_of({"kind": "pdm", "buffer_ms": 250}, features_of(AUDIO), "nano33ble")
    samples = int(constant(plan, "SOURCE_RING_SAMPLES"))
    assert 4000 <= samples == 4096
    assert plan.ram_bytes >= 2 * samples
    short = plan_of({"kind": "i2s", "buffer_ms": 100}, features_of(AUDIO), "esp32")
    kept = int(constant(short, "SOURCE_DMA_BUFFERS")) * int(constant(short, "SOURCE_DMA_SAMPLES"))
    assert 1600 <= kept < 1600 + 256


def test_pins_are_the_boards_or_the_users() -> None:
    plan = plan_of({"kind": "i2s", "data": 0}, features_of(AUDIO), "esp32")
    pins = [constant(plan, f"SOURCE_PIN_{name}") for name in ("BCLK", "WS", "DATA")]
    assert pins == ["26", "25", "0"]


@pytest.mark.parametrize("kind", MOTION_SENSORS)
@pytest.mark.parametrize("units", ["g", "si"])
def test_a_step_means_what_the_data_sheet_says_in_single_precision(kind: str, units: str) -> None:
    board = {"lsm9ds1": "nano33ble", "lsm6dsl": "b_l475e_iot01a"}[kind]
    rate = next(iter(MOTION_SENSORS[kind].rates))
    source = {"kind": kind, "units": units, "range_g": 16, "range_dps": 245}
    plan = plan_of(source, features_of(MOTION, rate=rate), board)
    g, dps = {"lsm9ds1": 0.732e-3, "lsm6dsl": 0.488e-3}[kind], 8.75e-3
    if units == "si":
        g, dps = g * 9.80665, dps * math.pi / 180
    for name, value in (("ACCELERATION", g), ("ROTATION", dps)):
        text = constant(plan, f"SOURCE_{name}_STEP")
        assert np.float32(float(text.removesuffix("f"))) == np.float32(value)


def test_ranges_are_about_what_their_names_say() -> None:
    """A step times 32768 is the range, but for the LSM9DS1's 16 g, whose steps are larger."""
    for kind, sensor in MOTION_SENSORS.items():
        for name, (_, step) in sensor.accelerations.items():
            if (kind, name) != ("lsm9ds1", 16):
                assert 0.99 < step * 32768 / name < 1.01
        for name, (_, step) in sensor.rotations.items():
            assert 1.1 < step * 32768 / name < 1.2
