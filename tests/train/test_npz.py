from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tinyml_tool.errors import InputError
from tinyml_tool.train.datasets.read import read_dataset

X = np.arange(24, dtype=np.float32).reshape(6, 4)
Y = np.array([0, 1, 2, 0, 1, 2])


def saved(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def test_samples_and_labels_are_read(tmp_path: Path) -> None:
    data = read_dataset(saved(tmp_path, x=X, y=Y, classes=np.array(["a", "b", "c"])))
    assert data.kind == "vector"
    assert data.classes == ("a", "b", "c")
    assert np.array_equal(data.samples, X)
    assert data.labels.tolist() == Y.tolist()


def test_labels_may_be_names(tmp_path: Path) -> None:
    data = read_dataset(saved(tmp_path, x=X, y=np.array(["no", "yes"] * 3)))
    assert data.classes == ("no", "yes")
    assert data.labels.tolist() == [0, 1] * 3


def test_parts_become_the_split(tmp_path: Path) -> None:
    data = read_dataset(saved(tmp_path, x_train=X, y_train=Y, x_test=X[:2], y_test=Y[:2]))
    assert data.split is not None
    assert data.split.tolist() == [0] * 6 + [2] * 2


def test_groups_may_be_names(tmp_path: Path) -> None:
    data = read_dataset(saved(tmp_path, x=X, y=Y, groups=np.array(list("aabbcc"))))
    assert data.groups is not None
    assert data.groups.tolist() == [0, 0, 1, 1, 2, 2]


def test_the_hash_tells_data_apart(tmp_path: Path) -> None:
    first = read_dataset(saved(tmp_path, x=X, y=Y)).sha256
    assert read_dataset(saved(tmp_path, x=X, y=Y)).sha256 == first
    assert read_dataset(saved(tmp_path, x=X + 1, y=Y)).sha256 != first
    assert read_dataset(saved(tmp_path, x=X.reshape(6, 2, 2), y=Y)).sha256 != first
    assert read_dataset(saved(tmp_path, x=X, y=Y[::-1])).sha256 != first


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "neither x and y"),
        ({"x": X}, "neither x and y"),
        ({"x": X, "y": Y[:5]}, "one label for each sample"),
        ({"x": X[:0], "y": Y[:0]}, "has no samples"),
        ({"x": X[:, 0], "y": Y}, "(count, ...) is needed"),
        ({"x": X[:, :0], "y": Y}, "hold nothing"),
        ({"x": np.where(X == 9, np.nan, X), "y": Y}, "sample 2 holds NaN or infinity"),
        ({"x": np.where(X == 9, np.inf, X), "y": Y}, "sample 2 holds NaN or infinity"),
        ({"x": X.astype(complex), "y": Y}, "not numbers"),
        ({"x": X, "y": Y - 1}, "is negative"),
        ({"x": X, "y": Y + 0.5}, "labels are float64"),
        ({"x": X, "y": Y, "classes": np.array(["a", "b"])}, "label 2 of sample 2 is none"),
        ({"x": X, "y": Y, "split": np.array([0, 1, 2, 3, 0, 0])}, "'split' must hold"),
        ({"x": X, "y": Y, "groups": np.zeros(5)}, "5 groups, but 6 labels"),
        ({"x": np.array([{}] * 6), "y": Y}, "objects of Python"),
        ({"x_train": X, "y_train": Y, "x_test": X[:, :3], "y_test": Y}, "different shapes"),
        ({"x_train": X}, "'y_train' is missing"),
        ({"x": X, "y": Y, "classes": np.array(["a", "", "b"])}, "'' is no name of a class"),
        ({"x": X, "y": Y, "classes": np.array(["a", "b\n", "c"])}, "is no name of a class"),
        ({"x": X, "y": Y, "classes": np.array(["a", "b", "a"])}, "two classes are named 'a'"),
    ],
)
def test_wrong_arrays_are_told(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    path = saved(tmp_path, **arrays)
    with pytest.raises(InputError) as error:
        read_dataset(path)
    assert str(path) in error.value.message
    assert message in error.value.message


def test_a_npy_under_the_name_is_told(tmp_path: Path) -> None:
    np.save(tmp_path / "data.npy", X)
    path = (tmp_path / "data.npy").rename(tmp_path / "data.npz")
    with pytest.raises(InputError, match=r"is a \.npy"):
        read_dataset(path)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damage_is_an_error_or_a_data_set(tmp_path: Path, data: st.DataObject) -> None:
    content = bytearray(saved(tmp_path, x=X, y=Y).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.npz"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        found = read_dataset(path)
    except InputError:
        return
    assert np.isfinite(found.samples).all()


@pytest.mark.parametrize("name", ["missing.npz", "data.txt"])
def test_what_is_no_data_set_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "data.txt").write_text("x")
    with pytest.raises(InputError) as error:
        read_dataset(tmp_path / name)
    assert error.value.hint
