from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml_tool.errors import InputError
from tinyml_tool.train.datasets.read import ReadOptions, read_dataset

Image = pytest.importorskip("PIL.Image")


def write_pictures(folder: Path) -> Path:
    for number, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        pixels = np.full((4, 6, 3), 100 * number + 50, np.uint8)
        for count in range(3):
            Image.fromarray(pixels).save(folder / name / f"{count}.png")
    return folder


def test_a_folder_becomes_bytes_by_class(tmp_path: Path) -> None:
    data = read_dataset(write_pictures(tmp_path / "pets"))
    assert data.samples.shape == (6, 4, 6, 3)
    assert data.samples.dtype == np.uint8
    assert data.classes == ("cat", "dog")
    assert data.samples[0, 0, 0].tolist() == [50] * 3


def test_pictures_are_scaled_and_made_grey_where_asked(tmp_path: Path) -> None:
    options = ReadOptions(size=(8, 10), grey=True)
    assert read_dataset(write_pictures(tmp_path / "pets"), options).shape == (8, 10, 1)


def test_different_sizes_need_a_size_for_all(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pets")
    Image.new("RGB", (5, 7)).save(folder / "dog" / "9.png")
    with pytest.raises(InputError, match=r"9\.png: is 7x5, but .* is 4x6") as error:
        read_dataset(folder)
    assert "--size" in str(error.value.hint)
    assert read_dataset(folder, ReadOptions(size=(4, 4))).shape == (4, 4, 3)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", None])
def test_an_unreadable_picture_is_named(tmp_path: Path, content: bytes | None) -> None:
    folder = write_pictures(tmp_path / "pets")
    bad = folder / "dog" / "1.png"
    bad.write_bytes(bad.read_bytes()[:-30] if content is None else content)
    with pytest.raises(InputError, match=r"dog/1\.png: is no picture"):
        read_dataset(folder)


def test_sounds_and_pictures_in_one_folder_are_an_error(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pets")
    (folder / "dog" / "a.wav").write_bytes(b"")
    with pytest.raises(InputError, match="sounds and pictures"):
        read_dataset(folder)


def test_deeper_pixels_are_not_cut_off_silently(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pets")
    Image.fromarray(np.full((4, 6), 40000, np.uint16)).save(folder / "dog" / "9.png")
    with pytest.raises(InputError, match=r"9\.png: has more than 8 bits a channel"):
        read_dataset(folder)
