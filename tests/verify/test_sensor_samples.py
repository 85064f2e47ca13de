"""Samples of data sets as a sensor gives them, which the features are computed of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from training_case import write_wavs

from tinyml_tool.errors import InputError
from tinyml_tool.preprocess.spec import FeatureSpec, parse_features, samples_of_window
from tinyml_tool.train.dataset import Dataset, Kind, make_dataset
from tinyml_tool.train.datasets.csv_windows import CsvLayout
from tinyml_tool.train.datasets.read import ReadOptions, read_dataset
from tinyml_tool.verify.camera_formats import encode_picture
from tinyml_tool.verify.raw_samples import read_samples
from tinyml_tool.verify.sensor_samples import are_inputs, reading_for, sensor_samples

SOUND = {
    **{"kind": "audio", "sample_rate": 8000, "window_ms": 4.0, "stride_ms": 3.0, "frames": 3},
    **{"bands": 4, "high_hz": 3000.0},
}
PICTURE = {"kind": "image", "source_width": 6, "source_height": 4, "width": 3, "height": 2}
MOTION = {"kind": "series", "channels": 2, "rate": 10, "window": 8, "stride": 8}


def spec_of(table: dict[str, Any], **changes: Any) -> FeatureSpec:
    return parse_features({**table, **changes}, "test")


def data_of(kind: Kind, samples: NDArray[Any], rate: int | None = None) -> Dataset:
    labels = np.arange(len(samples)) % 2
    return make_dataset("data", kind, samples, labels, ("a", "b"), sample_rate=rate)


def raw(data: Dataset, spec: FeatureSpec) -> NDArray[Any]:
    return sensor_samples(data, data.samples, spec)


@pytest.mark.parametrize(
    ("table", "changes", "values"),
    [
        (SOUND, {}, 32 + 2 * 24),
        (PICTURE, {}, 24),
        (PICTURE, {"format": "rgb565"}, 48),
        (MOTION, {}, 16),
        (MOTION, {"resample": 20}, 2 * 5),
    ],
)
def test_one_window_takes_just_so_many_values(
    table: dict[str, Any], changes: dict[str, Any], values: int
) -> None:
    spec = spec_of(table, **changes)
    assert samples_of_window(spec) == values
    assert (spec.windows_in(values), spec.windows_in(values - 1)) == (1, 0)


def test_sounds_of_files_are_the_numbers_in_the_files(tmp_path: Path) -> None:
    spec = spec_of(SOUND)
    data = read_dataset(write_wavs(tmp_path / "words"))
    file = read_samples(tmp_path / "words" / "no" / "0.wav", spec)
    assert raw(data, spec)[0].tolist() == file.tolist()


def test_16_bit_numbers_stay_and_floats_are_rounded_and_cut() -> None:
    spec = spec_of(SOUND)
    numbers = np.random.default_rng(0).integers(-32768, 32767, (4, 80)).astype(np.int16)
    assert (raw(data_of("sound", numbers, 8000), spec) == numbers).all()
    real = np.zeros((4, 80), np.float32)
    real[0, :4] = (0.5, 1.2, -1.2, 1.4 / 32768)
    assert raw(data_of("sound", real), spec)[0, :4].tolist() == [16384, 32767, -32768, 1]


@pytest.mark.parametrize("form", ["grey8", "rgb888", "rgb565", "yuyv", "bayer_rggb"])
def test_pictures_become_the_bytes_of_the_camera(form: str) -> None:
    spec = spec_of(PICTURE, format=form, width=2, height=2)
    colours = np.random.default_rng(0).integers(0, 256, (4, 4, 6, 3)).astype(np.uint8)
    sent = raw(data_of("image", colours), spec)
    assert (sent[2] == encode_picture(colours[2], spec)).all()
    again = data_of("vector", sent)
    assert (raw(again, spec) == sent).all()


@pytest.mark.parametrize("shape", [(4, 4, 6), (4, 4, 6, 1)])
def test_grey_pictures_are_taken_as_they_are(shape: tuple[int, ...]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    sent = raw(data_of("image", grey), spec_of(PICTURE))
    assert (sent == grey.reshape(4, 24)).all()
    coloured = raw(data_of("image", grey), spec_of(PICTURE, format="rgb888"))
    assert (coloured.reshape(4, 24, 3) == grey.reshape(4, 24, 1)).all()


def test_series_are_interleaved_and_whole_where_the_sensor_is() -> None:
    values = np.arange(4 * 8 * 2).reshape(4, 8, 2).astype(np.float32)
    sent = raw(data_of("series", values), spec_of(MOTION, sample="int16"))
    assert sent.dtype == np.int16
    assert sent[1].tolist() == list(range(16, 32))
    one = raw(data_of("vector", values.reshape(4, 16)), spec_of(MOTION, channels=1))
    assert one.shape == (4, 16)


@pytest.mark.parametrize(
    ("table", "data", "message", "hint"),
    [
        (
            SOUND,
            data_of("sound", np.zeros((2, 80), np.float32), 16000),
            "have 16000 Hz, the features are made of 8000",
            "-ar 8000",
        ),
        (
            SOUND,
            data_of("sound", np.zeros((2, 79), np.float32), 8000),
            "has 79 values, and one input of the features is made of 80",
            "--seconds 0.01",
        ),
        (SOUND, data_of("sound", np.full((2, 80), 900.0)), "numbers up to 900", "-1 to 1"),
        (SOUND, data_of("series", np.zeros((2, 80, 3))), "samples are 80x3", "raw samples"),
        (PICTURE, data_of("image", np.zeros((2, 4, 6, 1))), "type float64", "raw samples"),
        (
            PICTURE,
            data_of("image", np.zeros((2, 6, 4, 1), np.uint8)),
            "pictures of 6x4 (height x width), but the camera of the features has 4x6",
            "--size 4x6",
        ),
        (MOTION, data_of("series", np.zeros((2, 8, 3))), "series of 2 channels", "raw samples"),
        (MOTION, data_of("series", np.zeros((2, 7, 2))), "has 14 values", "--window 8"),
        (
            {**MOTION, "sample": "int16"},
            data_of("series", np.full((2, 8, 2), 0.5)),
            "whole numbers of 16 bits",
            "float32",
        ),
    ],
)
def test_what_no_such_sensor_gives_is_refused_with_the_way_out(
    table: dict[str, Any], data: Dataset, message: str, hint: str
) -> None:
    with pytest.raises(InputError) as error:
        raw(data, spec_of(table))
    assert message in error.value.message
    assert hint in str(error.value.hint)


def test_data_are_read_in_lengths_of_one_window_unless_told_otherwise() -> None:
    assert reading_for(spec_of(SOUND), None).seconds == 80 / 8000
    assert reading_for(spec_of(SOUND), ReadOptions(seconds=2)).seconds == 2
    assert reading_for(spec_of(MOTION), None).csv.window == 8
    told = ReadOptions(csv=CsvLayout(window=9))
    assert reading_for(spec_of(MOTION), told).csv.window == 9
    assert reading_for(spec_of(PICTURE), None) == ReadOptions()


def test_what_can_be_features_already_is_told_from_raw_samples() -> None:
    assert are_inputs(data_of("series", np.zeros((2, 3, 4))), spec_of(SOUND))
    assert not are_inputs(data_of("sound", np.zeros((2, 80))), spec_of(SOUND))
    assert are_inputs(data_of("image", np.zeros((2, 2, 3, 1))), spec_of(PICTURE))
    assert not are_inputs(data_of("image", np.zeros((2, 4, 6, 1), np.uint8)), spec_of(PICTURE))
