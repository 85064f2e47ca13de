from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinyml_tool.errors import InputError
from tinyml_tool.train.datasets.csv_windows import CsvLayout, read_csv

ROWS = """ax,ay,who,label
0,10,anna,walk
1,11,anna,walk
2,12,anna,walk
3,13,bert,walk
4,14,bert,walk
5,15,bert,run
6,16,bert,run
"""
LAYOUT = CsvLayout(group="who", window=2)


def table(folder: Path, text: str = ROWS) -> Path:
    path = folder / "watch.csv"
    path.write_text(text)
    return path


def test_windows_never_span_two_labels_or_groups(tmp_path: Path) -> None:
    data = read_csv(table(tmp_path), LAYOUT)
    assert data.kind == "series"
    assert data.samples.tolist() == [
        [[0, 10], [1, 11]],
        [[3, 13], [4, 14]],
        [[5, 15], [6, 16]],
    ]
    assert [data.classes[label] for label in data.labels] == ["walk", "walk", "run"]
    assert data.groups is not None
    assert data.groups.tolist() == [0, 1, 1]


def test_windows_overlap_where_asked(tmp_path: Path) -> None:
    data = read_csv(table(tmp_path), CsvLayout(group="who", window=2, step=1))
    assert data.samples[:, 0, 0].tolist() == [0, 1, 3, 5]


def test_only_the_named_channels_are_taken(tmp_path: Path) -> None:
    data = read_csv(table(tmp_path), CsvLayout(channels=("ay",), window=2))
    assert data.shape == (2, 1)


def test_windows_of_one_row_are_vectors(tmp_path: Path) -> None:
    data = read_csv(table(tmp_path), CsvLayout(group="who"))
    assert data.kind == "vector"
    assert data.samples.shape == (7, 2)


@pytest.mark.parametrize(
    ("text", "layout", "message"),
    [
        ("", LAYOUT, "has no rows"),
        ("ax,who,label\n", LAYOUT, "has no rows"),
        (ROWS, CsvLayout(), "row 2, column 'who': 'anna' is no number"),
        (ROWS, CsvLayout(label="class"), "has 0 columns 'class'; its columns are ax, ay, who"),
        (ROWS, CsvLayout(group="wearer"), "has 0 columns 'wearer'"),
        (ROWS, CsvLayout(group="who", window=4), "4 rows long"),
        (ROWS, CsvLayout(window=0), "a window of 0 rows"),
        (ROWS.replace("3,13,", "3,13,9,"), LAYOUT, "row 5 has 5 columns, the first row 4"),
        (ROWS.replace("3,13", "nan,13"), LAYOUT, "row 5, column 'ax': is nan"),
        (ROWS.replace("3,13", ",13"), LAYOUT, "row 5, column 'ax': '' is no number"),
        ("label,label\n1,2\n", CsvLayout(), "has 2 columns 'label'"),
        ("label\nwalk\n", CsvLayout(), "no column with measurements"),
    ],
)
def test_a_wrong_table_is_told_by_row_and_column(
    tmp_path: Path, text: str, layout: CsvLayout, message: str
) -> None:
    path = table(tmp_path, text)
    with pytest.raises(InputError) as error:
        read_csv(path, layout)
    assert message in error.value.message


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "watch.csv"
    path.write_bytes(b"\xff\xfe\0")
    with pytest.raises(InputError, match="is no CSV file"):
        read_csv(path, LAYOUT)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(st.sampled_from('ax,who\nlabel01.5e-"nan \r;'), max_size=80))
def test_any_text_is_an_error_or_a_data_set(tmp_path: Path, text: str) -> None:
    try:
        data = read_csv(table(tmp_path, text + "\n"), CsvLayout())
    except InputError:
        return
    assert np.isfinite(data.samples).all()
    assert len(data) > 0
