"""Picture features: near Pillow and formulas of others, exact where they are exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from feature_case import FORMAT, TABLES, raw_samples, spec_of
from numpy.typing import NDArray
from PIL import Image
from shared import shared_sample

from tinyml_tool.api.features import Features
from tinyml_tool.preprocess.image_spec import ImageSpec
from tinyml_tool.preprocess.plan import ValueFormat, ValueType
from tinyml_tool.preprocess.resample_table import WEIGHT_SUM, resampling
from tinyml_tool.preprocess.spec import parse_features
from tinyml_tool.preprocess.value_table import quantize_f32
from tinyml_tool.verify.camera_formats import encode_picture

U8 = NDArray[np.uint8]
PICTURES = [name for name, table in TABLES.items() if table.get("kind") == "image"]


def picture(height: int, width: int, channels: int = 1, seed: int = 0) -> U8:
    """Noise and smooth slopes; (height, width) or (height, width, 3)."""
    chance = np.random.default_rng(seed)
    noise = chance.integers(0, 256, (height, width, channels))
    slope = np.add.outer(np.linspace(0, 200, height), np.linspace(0, 55, width))[..., None]
    mixed = np.where(np.arange(width)[None, :, None] < width // 2, noise, slope)
    return mixed.astype(np.uint8)[..., 0] if channels == 1 else mixed.astype(np.uint8)


def bytes_of(source: U8, **table: Any) -> U8:
    """What a spec makes of a picture, as bytes."""
    size = {"source_height": source.shape[0], "source_width": source.shape[1]}
    height, width = table.pop("height", source.shape[0]), table.pop("width", source.shape[1])
    spec = {"kind": "image", **size, "height": height, "width": width, "std": [1.0], **table}
    features = Features(parse_features(spec, "x")).extract(source)[0]
    assert np.array_equal(features, np.rint(features))
    return features.astype(np.uint8)


SIZES = [((24, 32), (24, 32)), ((48, 64), (24, 32)), ((240, 320), (96, 96)), ((10, 7), (23, 40))]


@pytest.mark.parametrize(("source", "size"), SIZES)
def test_smooth_resizing_is_pillows_bilinear_within_one(
    source: tuple[int, int], size: tuple[int, int]
) -> None:
    pixels = picture(*source)
    found = bytes_of(pixels, height=size[0], width=size[1], resize="smooth")[..., 0]
    resized = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BILINEAR)
    wanted = np.asarray(resized, np.int16)
    assert np.abs(found - wanted).max() <= 1
    assert (found != wanted).mean() < 0.1


@pytest.mark.parametrize(("source", "size"), [((48, 64), (24, 32)), ((96, 90), (24, 10))])
def test_area_resizing_by_whole_numbers_is_pillows_box_within_one(
    source: tuple[int, int], size: tuple[int, int]
) -> None:
    pixels = picture(*source)
    found = bytes_of(pixels, height=size[0], width=size[1], resize="area")[..., 0]
    resized = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BOX)
    assert np.abs(found - np.asarray(resized, np.int16)).max() <= 1


def overlap(source: int, size: int) -> NDArray[np.float64]:
    """Share of each source pixel in each result pixel; (size, source)."""
    edges = np.arange(size + 1) * source / size
    first = np.maximum.outer(edges[:-1], np.arange(source))
    last = np.minimum.outer(edges[1:], np.arange(source) + 1)
    return np.maximum(0, last - first) * size / source


def tent(source: int, size: int) -> NDArray[np.float64]:
    """Bilinear weights between pixel centres; (size, source)."""
    centres = np.clip((np.arange(size) + 0.5) * source / size - 0.5, 0, source - 1)
    return np.maximum(0, 1 - np.abs(np.subtract.outer(centres, np.arange(source))))


@pytest.mark.parametrize(("source", "size"), [*SIZES, ((33, 50), (10, 17))])
@pytest.mark.parametrize(("method", "weights"), [("area", overlap), ("bilinear", tent)])
def test_resizing_agrees_with_weights_in_double_precision(
    source: tuple[int, int], size: tuple[int, int], method: str, weights: Any
) -> None:
    pixels = picture(*source)
    found = bytes_of(pixels, height=size[0], width=size[1], resize=method)[..., 0]
    wanted = weights(source[0], size[0]) @ pixels @ weights(source[1], size[1]).T
    assert np.abs(found - wanted).max() <= 1.01  # each direction is rounded to a byte


@pytest.mark.parametrize(("source", "size"), [*SIZES[:2], SIZES[3]])
def test_nearest_is_pillows_nearest(source: tuple[int, int], size: tuple[int, int]) -> None:
    pixels = picture(*source)
    found = bytes_of(pixels, height=size[0], width=size[1], resize="nearest")[..., 0]
    resized = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.NEAREST)
    np.testing.assert_array_equal(found, np.asarray(resized))


def test_nearest_takes_the_later_one_of_two_equally_near() -> None:
    pixels = picture(240, 320)  # Pillow adds up steps, so there it is chance
    found = bytes_of(pixels, height=96, width=96, resize="nearest")[..., 0]
    rows, columns = ((2 * np.arange(96) + 1) * n // 192 for n in (240, 320))
    np.testing.assert_array_equal(found, pixels[np.ix_(rows, columns)])


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("mirror", ["none", "horizontal", "vertical"])
def test_rotation_and_mirror_move_pixels_only(rotate: int, mirror: str) -> None:
    pixels = picture(6, 9, 3)
    found = bytes_of(pixels, format="rgb888", colour="rgb", rotate=rotate, mirror=mirror)
    wanted = np.rot90(pixels, -rotate // 90)
    wanted = {"horizontal": wanted[:, ::-1], "vertical": wanted[::-1]}.get(mirror, wanted)
    np.testing.assert_array_equal(found, wanted)


def test_a_crop_is_a_part_of_the_picture() -> None:
    pixels = picture(20, 30)
    crop = {"x": 7, "y": 3, "width": 11, "height": 9}
    found = bytes_of(pixels, crop=crop, height=9, width=11)[..., 0]
    np.testing.assert_array_equal(found, pixels[3:12, 7:18])


def test_grey_of_colours_is_pillows() -> None:
    pixels = picture(64, 64, 3)
    found = bytes_of(pixels, format="rgb888")[..., 0]
    np.testing.assert_array_equal(found, np.asarray(Image.fromarray(pixels).convert("L")))


def test_all_16_bit_colours_become_the_nearest_bytes() -> None:
    every = np.arange(65_536, dtype="<u2")
    spec = {"kind": "image", "source_width": 256, "source_height": 256, "width": 256}
    spec |= {"height": 256, "colour": "rgb", "std": [1.0]}
    low_first = Features(parse_features({**spec, "format": "rgb565"}, "x"))
    high_first = Features(parse_features({**spec, "format": "rgb565be"}, "x"))
    found = low_first.extract(every.view(np.uint8))[0].reshape(-1, 3)
    parts = np.stack([every >> 11, (every >> 5) & 63, every & 31], 1)
    assert np.abs(found - parts * 255 / [31, 63, 31]).max() < 1
    swapped = high_first.extract(every.byteswap().view(np.uint8))[0].reshape(-1, 3)
    np.testing.assert_array_equal(found, swapped)


def test_yuyv_is_pillows_ycbcr_within_one() -> None:
    chance = np.random.default_rng(4)
    stored = chance.integers(0, 256, (48, 32, 2), np.uint8)
    table = {"kind": "image", "source_width": 32, "source_height": 48, "width": 32}
    table |= {"height": 48, "colour": "rgb", "std": [1.0], "format": "yuyv"}
    found = Features(parse_features(table, "x")).extract(stored)[0]
    full = np.stack([stored[..., 0], *(stored[:, p::2, 1].repeat(2, 1) for p in (0, 1))], -1)
    wanted = np.asarray(Image.fromarray(full, "YCbCr").convert("RGB"), np.int16)
    assert np.abs(found - wanted).max() <= 1


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "grbg", "gbrg"])
def test_a_bayer_cell_becomes_its_colours(pattern: str) -> None:
    colours = picture(5, 6, 3)
    doubled = colours.repeat(2, 0).repeat(2, 1)
    mosaic = np.empty((10, 12), np.uint8)
    for place, colour in enumerate(pattern):
        y, x = divmod(place, 2)
        mosaic[y::2, x::2] = doubled[y::2, x::2, "rgb".index(colour)]
    found = bytes_of(mosaic, format=f"bayer_{pattern}", colour="rgb", height=5, width=6)
    np.testing.assert_array_equal(found, colours)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_survives_the_format_of_its_camera(name: str) -> None:
    spec = spec_of(name)
    assert isinstance(spec, ImageSpec)
    plain = np.full((24, 32, 3), 100, np.uint8)
    encoded = encode_picture(plain, spec)
    assert encoded.size == spec.row_bytes * 24
    flat = spec.model_copy(update={"mean": (0.0,), "std": (1.0,)})
    assert np.abs(Features(flat).extract(encoded)[0] - 100).max() <= 4


@pytest.mark.parametrize("name", PICTURES)
def test_streaming_rows_in_any_pieces_gives_what_one_piece_gives(name: str) -> None:
    samples = raw_samples(name)
    extractor = Features(spec_of(name))
    whole = extractor.extract(samples)
    chance = np.random.default_rng(0)
    windows, position = [], 0
    while position < len(samples):
        position += extractor.push(samples[position : position + int(chance.integers(1, 200))])
        if extractor.ready():
            windows.append(extractor.features)
    np.testing.assert_array_equal(np.array(windows), whole)
    assert len(whole) == 16


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
@pytest.mark.parametrize("scale", [1 / 255, 0.0078431377, 0.5, 3.3e-5])
def test_tables_hold_what_the_kernel_quantizes(dtype: ValueType, scale: float) -> None:
    value_format = ValueFormat(dtype, scale, 3)
    spec = {"kind": "image", "source_width": 256, "source_height": 1, "width": 256, "height": 1}
    extractor = Features(parse_features({**spec, "mean": [127.5], "std": [127.5]}, "x"))
    every = np.arange(256, dtype=np.uint8)
    by_table = extractor.quantized(every, scale, 3, dtype)[0].reshape(-1)
    low, high = value_format.limits
    steps = extractor.extract(every)[0].reshape(-1) / np.float32(scale)
    away = np.sign(steps) * np.floor(np.abs(steps.astype(np.float64)) + 0.5)
    np.testing.assert_array_equal(by_table, np.clip(away + 3, low, high).astype(dtype))


def test_the_kernel_and_the_table_maker_quantize_alike() -> None:
    """A sound spec runs the kernel on what `quantize_f32` predicts."""
    extractor = Features(parse_features({"preset": "kws", "output": "mel"}, "x"))
    samples = np.random.default_rng(0).integers(-9000, 9000, 80_000).astype(np.int16)
    real = extractor.extract(samples)
    for scale in (0.01, 0.05, 1.0):
        stored = extractor.quantized(samples, scale, -20)
        wanted = quantize_f32(real, ValueFormat("int8", scale, -20))
        np.testing.assert_array_equal(stored, wanted)
    assert FORMAT.limits == (-128, 127)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "smooth", "area"])
def test_weights_add_up_and_stay_inside_the_source(method: str) -> None:
    for source in (1, 2, 3, 7, 96, 640):
        for size in (1, 2, 5, 96, 100):
            table = resampling(source, size, method)
            assert (table.weights.sum(1) == WEIGHT_SUM).all()
            assert (table.starts + table.taps <= source).all()
            assert (np.diff(table.starts.astype(int)) >= 0).all()


@pytest.mark.parametrize("name", ["person", "no_person"])
def test_a_photograph_of_the_right_size_is_taken_as_it_is(name: str) -> None:
    pixels = np.asarray(Image.open(shared_sample(f"{name}.bmp")).convert("L"))
    np.testing.assert_array_equal(bytes_of(pixels)[..., 0], pixels)
