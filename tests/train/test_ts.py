from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_tool.errors import InputError
from tinyml_tool.train.datasets.read import read_dataset
from tinyml_tool.train.datasets.ts import parse_ts

HEADER = "# made up\n@problemName Moves\n@univariate false\n@classLabel true run walk\n@data\n"
DATA = "1,2,3:4,5,6:walk\n7,8,9:1,1,1:run\n"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_dimensions_become_channels(tmp_path: Path) -> None:
    data = read_dataset(write(tmp_path, "moves.ts", HEADER + DATA))
    assert data.samples[0].tolist() == [[1, 4], [2, 5], [3, 6]]
    assert data.classes == ("run", "walk")
    assert data.labels.tolist() == [1, 0]
    assert data.split is None


@pytest.mark.parametrize("named", ["moves_TRAIN.ts", "moves_TEST.ts"])
def test_the_file_beside_it_is_the_other_part(tmp_path: Path, named: str) -> None:
    write(tmp_path, "moves_TRAIN.ts", HEADER + DATA)
    write(tmp_path, "moves_TEST.ts", HEADER + "9,9,9:8,8,8:run\n")
    data = read_dataset(tmp_path / named)
    assert data.split is not None
    assert data.split.tolist() == [0, 0, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no @data"),
        (HEADER, "has no series"),
        ("hello\n", "line 1 is neither"),
        (HEADER + "1,2:3,4,5:walk\n", "line 6: dimensions of 2 and 3 values"),
        (HEADER + "1,?,3:4,5,6:walk\n", "line 6, dimension 0: '?' is no number"),
        (HEADER + "1,nan,3:4,5,6:walk\n", "line 6, dimension 0: is nan"),
        (HEADER + "1,2,3:4,5,6:fly\n", "class 'fly' is not in its @classLabel"),
        (HEADER + "1,2,3\n", "has no ':'"),
        (HEADER + "(0,1),(1,2):walk\n", "time stamps"),
        (HEADER.replace("true run walk", "false") + DATA, "have no class"),
    ],
)
def test_a_wrong_file_is_told_by_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        parse_ts(text, "moves.ts")
    assert message in error.value.message


def test_series_of_unequal_length_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, "moves.ts", HEADER + DATA + "1,2:1,2:run\n")
    with pytest.raises(InputError, match="a series of 2 values in 2 dimensions"):
        read_dataset(path)


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.sampled_from("12,:.e-?()nafwlkr @\n#"), max_size=60))
def test_any_text_is_an_error_or_series(text: str) -> None:
    try:
        file = parse_ts(HEADER + text, "moves.ts")
    except InputError:
        return
    assert all(np.isfinite(series.values).all() for series in file.series)
