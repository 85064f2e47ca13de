from __future__ import annotations

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_case import wav_bytes, write_wavs

from tinyml_tool.errors import InputError
from tinyml_tool.train.datasets.read import ReadOptions, read_dataset
from tinyml_tool.train.datasets.wav import parse_wav

SOUND = wav_bytes(np.array([0, 16384, -32768, 32767], np.int16))


def test_16_bits_become_numbers_from_minus_one_to_one() -> None:
    sound = parse_wav(SOUND, "a.wav")
    assert sound.rate == 8000
    assert sound.samples.tolist() == [0.0, 0.5, -1.0, pytest.approx(32767 / 32768)]


@pytest.mark.parametrize(
    ("bits", "tag", "data"),
    [
        (8, 1, bytes([128, 192, 0])),
        (24, 1, b"\0\0\0" + b"\0\0\x40" + b"\0\0\x80"),
        (32, 1, struct.pack("<3i", 0, 1 << 30, -(1 << 31))),
        (32, 3, struct.pack("<3f", 0, 0.5, -1)),
        (64, 3, struct.pack("<3d", 0, 0.5, -1)),
    ],
)
def test_all_widths_mean_the_same(bits: int, tag: int, data: bytes) -> None:
    sound = parse_wav(wav_bytes(data, bits=bits, tag=tag), "a.wav")
    assert sound.samples.tolist() == [0.0, 0.5, -1.0]
    assert sound.samples.dtype == np.float32


def test_the_extensible_form_is_read() -> None:
    data = struct.pack("<3h", 0, 16384, -32768)
    form = struct.pack("<HHIIHH", 0xFFFE, 1, 8000, 16000, 2, 16)
    form += struct.pack("<HHIH", 22, 16, 4, 1) + b"\0" * 14
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(form)) + form
    body += struct.pack("<4sI", b"data", len(data)) + data
    sound = parse_wav(struct.pack("<4sI", b"RIFF", len(body)) + body, "a.wav")
    assert sound.samples.tolist() == [0.0, 0.5, -1.0]


def test_chunks_that_are_not_known_are_passed_over() -> None:
    extra = struct.pack("<4sI", b"LIST", 3) + b"abc\0"
    assert parse_wav(SOUND[:12] + extra + SOUND[12:], "a.wav").samples.size == 4


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is no WAV file"),
        (b"ID3" + SOUND, "is no WAV file"),
        (SOUND[:-2], "is cut off: 6 of 8 bytes"),
        (SOUND[:30], "'fmt ' has 10 bytes"),
        (SOUND[:36], "'data' is missing"),
        (SOUND[:12] + SOUND[36:], "'fmt ' is missing"),
        (wav_bytes(b""), "0 bytes of sound"),
        (wav_bytes(b"abc"), "3 bytes of sound are no samples of 2 bytes"),
        (wav_bytes(b"abcd", channels=2), "has 2 channels"),
        (wav_bytes(b"abcd", rate=0), "sample rate of 0"),
        (wav_bytes(b"abcd", bits=12), "coding 1 with 12 bits"),
        (wav_bytes(b"abcd", tag=7, bits=8), "coding 7 with 8 bits"),
        (wav_bytes(struct.pack("<f", float("nan")), bits=32, tag=3), "NaN"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse_wav(data, "dir/a.wav")
    assert error.value.message.startswith("dir/a.wav: ")
    assert message in error.value.message


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damage_is_an_error_or_a_finite_sound(data: st.DataObject) -> None:
    content = bytearray(wav_bytes(np.arange(20, dtype=np.int16)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            sound = parse_wav(cut, "a.wav")
        except InputError:
            return
    assert np.isfinite(sound.samples).all()
    assert sound.samples.size > 0
    assert sound.rate > 0


def test_a_folder_becomes_samples_by_class(tmp_path: Path) -> None:
    data = read_dataset(write_wavs(tmp_path / "words"))
    assert data.kind == "sound"
    assert data.classes == ("no", "yes")
    assert data.samples.shape == (8, 80)
    assert data.counts == (4, 4)
    assert data.sample_rate == 8000


def test_speakers_of_speech_commands_are_groups(tmp_path: Path) -> None:
    folder = write_wavs(tmp_path / "words", per_class=2)
    for path in sorted(folder.rglob("*.wav")):
        path.rename(path.with_name(f"voice{path.stem}_nohash_0.wav"))
    groups = read_dataset(folder).groups
    assert groups is not None
    assert groups.tolist() == [0, 1, 0, 1]


def test_different_rates_are_an_error_that_names_both_files(tmp_path: Path) -> None:
    folder = write_wavs(tmp_path / "words")
    (folder / "yes" / "9.wav").write_bytes(wav_bytes(np.zeros(80, np.int16), rate=16000))
    with pytest.raises(InputError, match=r"yes/9\.wav: has 16000 Hz, but .*no/0\.wav has 8000 Hz"):
        read_dataset(folder)


def test_different_lengths_need_a_length_for_all(tmp_path: Path) -> None:
    folder = write_wavs(tmp_path / "words")
    (folder / "yes" / "9.wav").write_bytes(wav_bytes(np.ones(50, np.int16)))
    with pytest.raises(InputError, match=r"yes/9\.wav: has 50 samples, but") as error:
        read_dataset(folder)
    assert "--seconds" in str(error.value.hint)
    data = read_dataset(folder, ReadOptions(seconds=0.0075))
    assert data.samples.shape == (9, 60)
    assert not data.samples[-1, 50:].any()
    assert data.samples[-1, :50].all()


def test_parts_may_be_folders_above_the_classes(tmp_path: Path) -> None:
    write_wavs(tmp_path / "words" / "train", per_class=3)
    write_wavs(tmp_path / "words" / "test", per_class=1)
    data = read_dataset(tmp_path / "words")
    assert data.classes == ("no", "yes")
    assert data.split is not None
    assert sorted(data.split.tolist()) == [0] * 6 + [2] * 2


@pytest.mark.parametrize("content", ["nothing", "stray"])
def test_a_folder_without_classes_is_an_error(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "words"
    folder.mkdir()
    if content == "stray":
        (folder / "a.wav").write_bytes(SOUND)
    with pytest.raises(InputError, match="words") as error:
        read_dataset(folder)
    assert error.value.hint
