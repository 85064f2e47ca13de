from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from float_models import float_classifier
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_builder import ModelBuilder

from tinyml_tool.errors import InputError
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.quantization.samples import random_samples, read_samples

GRAPH = parse_model(float_classifier(), "m")


def saved(folder: Path, **arrays: object) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def test_samples_and_labels_are_read(tmp_path: Path) -> None:
    x = np.random.default_rng(0).random((3, 8, 8, 1))
    samples = read_samples(saved(tmp_path, x=x, y=[2, 0, 1]), GRAPH)
    assert samples.labels == (2, 0, 1)
    assert [vector[0].shape for vector in samples.vectors] == [(1, 8, 8, 1)] * 3
    np.testing.assert_array_equal(samples.vectors[1][0][0], x[1].astype(np.float32))


@pytest.mark.parametrize("name", ["x", "image", "whatever"])
def test_the_array_of_samples_may_have_several_names(tmp_path: Path, name: str) -> None:
    assert len(read_samples(saved(tmp_path, **{name: np.ones((3, 8, 8, 1))}), GRAPH)) == 3


def test_a_last_axis_of_one_may_be_missing_and_integers_become_real(tmp_path: Path) -> None:
    samples = read_samples(saved(tmp_path, x=np.full((3, 8, 8), 7, np.uint8)), GRAPH)
    assert samples.vectors[0][0].dtype == np.float32
    assert samples.vectors[0][0].max() == 7


def test_one_hot_labels_become_class_numbers(tmp_path: Path) -> None:
    path = saved(tmp_path, x=np.ones((2, 8, 8, 1)), y=np.eye(4)[[3, 1]])
    assert read_samples(path, GRAPH).labels == (3, 1)


def test_a_model_of_two_inputs_takes_arrays_named_like_them(tmp_path: Path) -> None:
    builder = ModelBuilder()
    a, b = (builder.input("float32", (1, 2), name=name) for name in "ab")
    output = builder.operator("ADD", [a, b], builder.tensor("float32", (1, 2)))
    graph = parse_model(builder.build([output]), "m")
    samples = read_samples(saved(tmp_path, b=np.ones((3, 2)), a=np.zeros((3, 2))), graph)
    assert samples.vectors[0][0].max() == 0
    assert samples.vectors[0][1].min() == 1
    with pytest.raises(InputError, match="'a' 1x2, 'b' 1x2"):
        read_samples(saved(tmp_path, x=np.ones((3, 2))), graph)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.ones((0, 8, 8, 1))}, "holds no samples"),
        ({"x": np.array(3.0)}, "holds no samples"),
        ({"x": np.ones((3, 8, 9, 1))}, "a sample has shape 8x9x1, the model takes 8x8x1"),
        ({"x": np.array(["a", "b"])}, "not numbers"),
        ({"x": np.full((2, 8, 8, 1), np.inf)}, "sample 0 holds NaN or infinity"),
        ({"x": np.full((2, 8, 8, 1), 1e39)}, "sample 0 holds NaN or infinity"),
        ({"x": np.ones((2, 8, 8, 1)), "y": [1]}, "2 samples and 1 labels"),
        ({"x": np.ones((2, 8, 8, 1)), "y": [0.5, 1]}, "not class numbers"),
        ({"a": np.ones(2), "b": np.ones(2)}, "name"),
    ],
)
def test_what_is_wrong_with_data_is_told(
    tmp_path: Path, arrays: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_samples(saved(tmp_path, **arrays), GRAPH)
    assert message in f"{caught.value.message} {caught.value.hint}"


def test_axes_in_another_order_are_recognised(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input("float32", (1, 4, 5, 3))
    output = builder.operator("RELU", [x], builder.tensor("float32", (1, 4, 5, 3)))
    graph = parse_model(builder.build([output]), "m")
    with pytest.raises(InputError) as caught:
        read_samples(saved(tmp_path, x=np.ones((2, 3, 4, 5))), graph)
    assert "np.transpose(x, (0, 2, 3, 1))" in (caught.value.hint or "")


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    array = np.empty(1, object)
    array[0] = Trap()
    path = tmp_path / "data.npz"
    content = io.BytesIO()
    np.lib.format.write_array(content, array, allow_pickle=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", content.getvalue())
    with pytest.raises(InputError):
        read_samples(path, GRAPH)
    pickled = tmp_path / "pickle.npy"
    pickled.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(InputError):
        read_samples(pickled, GRAPH)
    assert not (tmp_path / "sprung").exists()


def test_an_archive_that_unpacks_to_too_much_is_refused_before_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, x=np.zeros((1000, 8, 8, 1), np.float32))
    assert path.stat().st_size < 2000
    monkeypatch.setattr("tinyml_tool.array_file.MAX_BYTES", 100_000)
    with pytest.raises(InputError, match="at most 100,000 are read"):
        read_samples(path, GRAPH)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    position=st.integers(0, 3000), value=st.binary(min_size=1, max_size=8), cut=st.integers(0, 3000)
)
def test_damaged_archives_are_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: bytes, cut: int
) -> None:
    path = tmp_path_factory.mktemp("npz") / "data.npz"
    np.savez(path, x=np.ones((2, 8, 8, 1), np.float32), y=np.array([0, 1]))
    data = bytearray(path.read_bytes())
    data[position : position + len(value)] = value
    path.write_bytes(bytes(data[: len(data) - cut % 200]))
    try:
        assert len(read_samples(path, GRAPH)) == 2
    except InputError as error:
        assert error.message


def test_random_samples_say_what_they_are() -> None:
    samples = random_samples(GRAPH, 5, seed=3)
    assert samples.is_random
    assert "random numbers" in samples.source
    np.testing.assert_array_equal(
        samples.vectors[2][0], random_samples(GRAPH, 5, seed=3).vectors[2][0]
    )


def test_a_selection_is_spread_over_all_and_the_rest_is_the_rest(tmp_path: Path) -> None:
    labels = [0] * 10 + [1] * 10
    samples = read_samples(saved(tmp_path, x=np.ones((20, 8, 8, 1)), y=labels), GRAPH)
    chosen = samples.spread(4)
    assert chosen.labels == (0, 0, 1, 1)
    assert samples.without(chosen).labels == (0,) * 8 + (1,) * 8
