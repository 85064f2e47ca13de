from __future__ import annotations

import builtins
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from shared import shared_model, shared_sample

from tinyml_tool.errors import InputError, ToolMissingError, UnsupportedModelError
from tinyml_tool.graph.reader import read_model
from tinyml_tool.graph.types import DType, Graph, Quantization, Tensor
from tinyml_tool.verify.input_files import load_inputs

SHAPE = (1, 2, 3)
HALVES = Quantization((0.5,), (3,))
VALUES = np.arange(6, dtype=np.int8).reshape(SHAPE)


def graph_of(*tensors: Tensor) -> Graph:
    return Graph("case", tensors, (), tuple(range(len(tensors))), (), "00")


def one_input(
    dtype: DType = DType.INT8,
    shape: tuple[int, ...] = SHAPE,
    quantization: Quantization | None = HALVES,
) -> Graph:
    return graph_of(Tensor(0, "x", shape, dtype, quantization))


TWO_INPUTS = graph_of(
    Tensor(0, "left", (1, 2), DType.INT8), Tensor(1, "right", (1, 1), DType.INT16)
)


def stored(path: Path, array: Any) -> Path:
    np.save(path, array, allow_pickle=True)
    return path


def refused(path: Path, graph: Graph) -> str:
    with pytest.raises(InputError) as caught:
        load_inputs(path, graph)
    assert path.name in caught.value.message
    return caught.value.message


# .npy


@pytest.mark.parametrize("shape", [(1, 2, 3), (2, 3)])
def test_an_array_fits_with_or_without_the_leading_1(tmp_path: Path, shape: Any) -> None:
    path = stored(tmp_path / "x.npy", VALUES.reshape(shape))
    ((array,),) = load_inputs(path, one_input())
    assert array.dtype == np.int8
    np.testing.assert_array_equal(array, VALUES)


def test_a_batch_gives_one_inference_a_row(tmp_path: Path) -> None:
    batch = np.stack([VALUES[0], VALUES[0] + 1, VALUES[0] + 2])
    found = load_inputs(stored(tmp_path / "x.npy", batch), one_input())
    assert [vector[0].tolist() for vector in found] == [[row.tolist()] for row in batch]


def test_integers_of_another_type_fit_when_in_range(tmp_path: Path) -> None:
    path = stored(tmp_path / "x.npy", VALUES.astype(np.int64))
    ((array,),) = load_inputs(path, one_input())
    assert array.dtype == np.int8


@pytest.mark.parametrize("value", [128, -129, 2**40])
def test_an_integer_out_of_range_is_named(tmp_path: Path, value: int) -> None:
    values = VALUES.astype(np.int64)
    values[0, 1, 1] = value
    message = refused(stored(tmp_path / "x.npy", values), one_input())
    assert f"value 4 is {value}, outside the range -128 to 127" in message


def test_real_numbers_are_quantized_as_the_model_says(tmp_path: Path) -> None:
    real = np.array([[[0.0, 0.5, -0.5], [0.25, 1000.0, -1000.0]]], np.float32)
    ((array,),) = load_inputs(stored(tmp_path / "x.npy", real), one_input())
    assert array.reshape(-1).tolist() == [3, 4, 2, 3, 127, -128]  # 0.25 / 0.5 rounds to even


def test_real_numbers_need_a_quantized_input(tmp_path: Path) -> None:
    path = stored(tmp_path / "x.npy", VALUES.astype(np.float32))
    assert "not quantized" in refused(path, one_input(quantization=None))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [DType.INT8, DType.FLOAT32])
def test_numbers_that_are_not_finite_are_refused(
    tmp_path: Path, value: float, dtype: DType
) -> None:
    real = np.zeros(SHAPE)
    real[0, 0, 2] = value
    assert f"value 2 is {value}" in refused(stored(tmp_path / "x.npy", real), one_input(dtype))


def test_a_number_too_large_for_float32_is_refused(tmp_path: Path) -> None:
    path = stored(tmp_path / "x.npy", np.full(SHAPE, 1e300))
    assert "not finite" in refused(path, one_input(DType.FLOAT32))


def test_a_float_input_takes_float64_and_integers(tmp_path: Path) -> None:
    for values in (VALUES.astype(np.float64), VALUES):
        ((array,),) = load_inputs(stored(tmp_path / "x.npy", values), one_input(DType.FLOAT32))
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, VALUES)


@pytest.mark.parametrize("shape", [(6,), (3, 2), (1, 3, 2), (2, 2), (1, 1, 2, 3), ()])
def test_a_wrong_shape_tells_expected_and_found(tmp_path: Path, shape: tuple[int, ...]) -> None:
    message = refused(stored(tmp_path / "x.npy", np.zeros(shape, np.int8)), one_input())
    found = "x".join(map(str, shape)) or "a single number"
    assert message == f"x.npy has shape {found}, expected 1x2x3 int8, or a batch of it"


def test_an_empty_batch_is_refused(tmp_path: Path) -> None:
    refused(stored(tmp_path / "x.npy", np.zeros((0, 2, 3), np.int8)), one_input())


@pytest.mark.parametrize("values", [np.array([["a", "b"]]), np.array([[{}, {}]], object)])
def test_what_is_no_number_is_refused(tmp_path: Path, values: Any) -> None:
    refused(stored(tmp_path / "x.npy", values), one_input(shape=(1, 2)))


def test_complex_numbers_are_refused(tmp_path: Path) -> None:
    path = stored(tmp_path / "x.npy", VALUES.astype(np.complex64))
    assert "not numbers" in refused(path, one_input())


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".wav", ".png", ".bmp", ".jpg", ".pgm"])
@pytest.mark.parametrize("content", [b"", b"hello", bytes(1000), b"\x93NUMPY\x01\0\xff\xff{}"])
def test_a_damaged_file_of_any_kind_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    refused(path, one_input(shape=(1, 2, 3, 1)))


@pytest.mark.parametrize("name", ["x.npy", "x.npz"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_cut_off_array_is_refused(tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / name
    values = np.arange(1000, dtype=np.int8).reshape(1, 1000)
    np.savez(path, values) if name == "x.npz" else np.save(path, values)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refused(path, one_input(shape=(1, 1000)))


def test_a_header_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    path = stored(tmp_path / "x.npy", VALUES)
    content = path.read_bytes()
    swollen = content.replace(b"(1, 2, 3), }      ", b"(1, 2, 300000000)}")
    assert swollen != content
    path.write_bytes(swollen)
    refused(path, one_input())


def test_an_archive_named_npy_is_refused_with_the_right_name(tmp_path: Path) -> None:
    with (tmp_path / "x.npy").open("wb") as file:
        np.savez(file, VALUES)
    with pytest.raises(InputError) as caught:
        load_inputs(tmp_path / "x.npy", one_input())
    assert caught.value.hint == "name it .npz"


def test_an_array_named_npz_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "x.npz").open("wb") as file:
        np.save(file, VALUES)
    refused(tmp_path / "x.npz", one_input())


# .npz


def two_arrays(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("names", [("left", "right"), ("arr_0", "arr_1")])
def test_an_archive_feeds_every_input(tmp_path: Path, names: tuple[str, str]) -> None:
    arrays = dict(zip(names, ([[1, 2]], [[300]]), strict=True))
    ((left, right),) = load_inputs(two_arrays(tmp_path / "x.npz", **arrays), TWO_INPUTS)
    assert (left.tolist(), right.tolist()) == ([[1, 2]], [[300]])
    assert (left.dtype, right.dtype) == (np.int8, np.int16)


def test_an_archive_of_batches_gives_one_inference_a_row(tmp_path: Path) -> None:
    path = two_arrays(tmp_path / "x.npz", left=[[1, 2], [3, 4]], right=[[5], [6]])
    found = [[array.tolist() for array in vector] for vector in load_inputs(path, TWO_INPUTS)]
    assert found == [[[[1, 2]], [[5]]], [[[3, 4]], [[6]]]]


def test_batches_of_different_length_are_refused(tmp_path: Path) -> None:
    path = two_arrays(tmp_path / "x.npz", left=[[1, 2], [3, 4]], right=[[5]])
    assert "batches differ: [1, 2]" in refused(path, TWO_INPUTS)


def test_wrong_names_are_told_with_the_right_ones(tmp_path: Path) -> None:
    message = refused(two_arrays(tmp_path / "x.npz", left=[[1, 2]], up=[[5]]), TWO_INPUTS)
    assert "holds 'left', 'up'" in message
    assert "'left' 1x2 int8, 'right' 1x1 int16" in message


def test_an_archive_that_needs_pickle_is_refused(tmp_path: Path) -> None:
    refused(two_arrays(tmp_path / "x.npz", x=np.array([{}], object)), one_input(shape=(1,)))


# .bin


def test_raw_bytes_are_cut_into_the_inputs(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(b"\x01\xff\x2c\x01" + b"\x02\x03\xff\xff")
    found = [[array.tolist() for array in vector] for vector in load_inputs(path, TWO_INPUTS)]
    assert found == [[[[1, -1]], [[300]]], [[[2, 3]], [[-1]]]]


@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_a_wrong_number_of_bytes_is_told_with_the_right_one(tmp_path: Path, size: int) -> None:
    path = tmp_path / "x.raw"
    path.write_bytes(bytes(size))
    message = refused(path, TWO_INPUTS)
    assert f"has {size} bytes, expected 4 (2 for 1x2 int8 + 2 for 1x1 int16)" in message


def test_a_raw_nan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(np.full(6, np.nan, np.float32).tobytes())
    assert "value 0 is nan" in refused(path, one_input(DType.FLOAT32))


# .wav


def sound(path: Path, data: bytes, *, width: int = 2, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(16000)
        file.writeframes(data)
    return path


SAMPLES = np.array([0, 16384, -16384, 32767, -32768, 1], "<i2")


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (DType.INT16, [0, 16384, -16384, 32767, -32768, 1]),
        (DType.FLOAT32, [0.0, 0.5, -0.5, 32767 / 32768, -1.0, 1 / 32768]),
        (DType.INT8, [3, 4, 2, 5, 1, 3]),
    ],
)
def test_sound_of_16_bits_becomes_the_models_type(
    tmp_path: Path, dtype: DType, expected: list[float]
) -> None:
    path = sound(tmp_path / "x.wav", SAMPLES.tobytes())
    ((array,),) = load_inputs(path, one_input(dtype))
    assert array.shape == SHAPE
    assert array.dtype == dtype.numpy
    assert array.reshape(-1).tolist() == expected


def test_sound_of_8_bits_is_centred_at_128(tmp_path: Path) -> None:
    path = sound(tmp_path / "x.wav", bytes([128, 0, 192, 255, 64, 129]), width=1)
    ((array,),) = load_inputs(path, one_input(DType.FLOAT32))
    assert array.reshape(-1).tolist() == [0.0, -1.0, 0.5, 127 / 128, -0.5, 1 / 128]


def test_a_wrong_number_of_samples_tells_both(tmp_path: Path) -> None:
    message = refused(sound(tmp_path / "x.wav", SAMPLES[:5].tobytes()), one_input())
    assert "has 5 samples, but the model's input 1x2x3 int8 takes 6 values" in message


def test_stereo_is_refused(tmp_path: Path) -> None:
    path = sound(tmp_path / "x.wav", SAMPLES.tobytes(), channels=2)
    assert "2 channels, expected 1" in refused(path, one_input())


def test_24_bits_are_refused(tmp_path: Path) -> None:
    path = sound(tmp_path / "x.wav", bytes(18), width=3)
    assert "24 bits a sample, expected 8 or 16" in refused(path, one_input())


def test_a_cut_off_sound_is_refused(tmp_path: Path) -> None:
    path = sound(tmp_path / "x.wav", SAMPLES.tobytes())
    path.write_bytes(path.read_bytes()[:-4])
    refused(path, one_input())


def test_a_real_clip_for_a_model_on_features_says_that_it_needs_them() -> None:
    graph = read_model(shared_model("kws_ref_model.tflite"))
    with pytest.raises(InputError, match="16000 samples") as caught:
        load_inputs(shared_sample("yes_1000ms.wav"), graph)
    assert caught.value.hint is not None
    assert "shape 1x49x10x1" in caught.value.hint


# pictures

PIXELS = np.array([[0, 1, 127], [128, 254, 255]], np.uint8)


def picture(path: Path, pixels: Any = PIXELS, **options: Any) -> Path:
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".pgm", ".PNG"])
@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (DType.INT8, PIXELS.astype(int) - 128),
        (DType.UINT8, PIXELS),
        (DType.FLOAT32, PIXELS.astype(np.float32) / np.float32(255)),
    ],
)
def test_a_grey_picture_becomes_the_models_type(
    tmp_path: Path, suffix: str, dtype: DType, expected: Any
) -> None:
    graph = one_input(dtype, (1, 2, 3, 1))
    ((array,),) = load_inputs(picture(tmp_path / f"x{suffix}"), graph)
    assert array.dtype == dtype.numpy
    np.testing.assert_array_equal(array, np.reshape(expected, (1, 2, 3, 1)))


def test_a_coloured_picture_keeps_its_channels_in_order(tmp_path: Path) -> None:
    pixels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    graph = one_input(DType.UINT8, (1, 2, 3, 3))
    ((array,),) = load_inputs(picture(tmp_path / "x.png", pixels), graph)
    np.testing.assert_array_equal(array[0], pixels)


def test_a_coloured_picture_turns_grey_for_a_model_of_one_channel(tmp_path: Path) -> None:
    pixels = np.full((2, 3, 3), 200, np.uint8)
    graph = one_input(DType.UINT8, (1, 2, 3, 1))
    ((array,),) = load_inputs(picture(tmp_path / "x.png", pixels), graph)
    assert set(array.reshape(-1).tolist()) == {200}


def test_a_jpeg_is_read(tmp_path: Path) -> None:
    path = picture(tmp_path / "x.jpg", np.full((16, 16), 100, np.uint8), quality=95)
    ((array,),) = load_inputs(path, one_input(DType.INT8, (1, 16, 16, 1)))
    assert abs(int(array.mean()) - (100 - 128)) <= 2


def test_a_picture_of_another_size_tells_both_and_is_not_resized(tmp_path: Path) -> None:
    message = refused(picture(tmp_path / "x.png"), one_input(shape=(1, 3, 2, 1)))
    assert "3 pixels wide and 2 high, expected 2 and 3" in message


@pytest.mark.parametrize("shape", [(1, 6), (1, 2, 3, 2), (2, 2, 3, 1), (6,)])
def test_a_picture_for_a_model_that_takes_none_is_refused(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    assert "is none" in refused(picture(tmp_path / "x.png"), one_input(shape=shape))


def test_a_cut_off_picture_is_refused(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)
    path = picture(tmp_path / "x.png", pixels)
    path.write_bytes(path.read_bytes()[:-200])
    refused(path, one_input(shape=(1, 40, 40, 1)))


def test_a_real_picture_fits_the_person_detector() -> None:
    graph = read_model(shared_model("person_detect.tflite"))
    path = shared_sample("person.bmp")
    ((array,),) = load_inputs(path, graph)
    with Image.open(path) as image:
        expected = np.asarray(image.convert("L"), np.int16) - 128
    np.testing.assert_array_equal(array[0, :, :, 0], expected)


def test_without_pillow_the_way_to_get_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = picture(tmp_path / "x.png")
    real_import = builtins.__import__

    def no_pillow(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("PIL"):
            raise ImportError
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_pillow)
    with pytest.raises(ToolMissingError, match="pillow") as caught:
        load_inputs(path, one_input(shape=(1, 2, 3, 1)))
    assert caught.value.hint == "install it: python -m pip install 'tinyml-tool[images]'"


# any file


@pytest.mark.parametrize("name", ["x.csv", "x", "x.tflite"])
def test_an_unknown_kind_of_file_is_told_with_the_known_ones(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"1")
    with pytest.raises(InputError, match="no known kind") as caught:
        load_inputs(tmp_path / name, one_input())
    assert caught.value.hint is not None
    assert ".npy, .npz, .bin" in caught.value.hint


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".bin", ".wav", ".png"])
def test_a_missing_file_is_named(tmp_path: Path, suffix: str) -> None:
    assert "No such file" in refused(tmp_path / f"absent{suffix}", one_input())


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".bin", ".wav", ".png"])
def test_a_folder_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"x{suffix}").mkdir()
    refused(tmp_path / f"x{suffix}", one_input(shape=(1, 2, 3, 1)))


@pytest.mark.parametrize("suffix", [".npy", ".wav", ".png"])
def test_a_file_of_one_input_does_not_feed_two(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(b"1")
    assert "holds one input, but case has 2" in refused(path, TWO_INPUTS)


def test_an_input_that_no_file_can_hold_is_named(tmp_path: Path) -> None:
    path = stored(tmp_path / "x.npy", VALUES)
    with pytest.raises(UnsupportedModelError, match="input 'x' is string"):
        load_inputs(path, one_input(DType.STRING))
