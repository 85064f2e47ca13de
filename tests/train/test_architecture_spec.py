from __future__ import annotations

from typing import Any

import pytest

from tinyml_tool.errors import InputError
from tinyml_tool.train.architecture import (
    Architecture,
    known_architectures,
    read_architecture,
)
from tinyml_tool.train.input_shape import input_shape


def test_a_name_alone_takes_the_usual_parameters() -> None:
    arch = read_architecture("ds_cnn")
    assert (arch.width, arch.depth, arch.kernel) == (1.0, 4, (3, 3))


def test_parameters_follow_a_colon() -> None:
    arch = read_architecture("ds_cnn:width=0.5,depth=3,kernel=10x4")
    assert (arch.width, arch.depth, arch.kernel) == (0.5, 3, (10, 4))


def test_a_table_says_the_same() -> None:
    table = {"name": "ds_cnn", "width": 0.5, "kernel": [10, 4]}
    assert read_architecture(table) == read_architecture("ds_cnn:width=0.5,kernel=10x4")


@pytest.mark.parametrize("name", known_architectures())
def test_its_text_and_its_json_are_read_again(name: str) -> None:
    arch = read_architecture({"name": name, "width": 0.3})
    assert read_architecture(str(arch)) == arch
    assert read_architecture(arch.to_json()) == arch


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ds_cn", "unknown architecture 'ds_cn', did you mean 'ds_cnn'?"),
        ("", "unknown architecture ''"),
        ("ds_cnn:width=-1", "width -1 is not above 0"),
        ("ds_cnn:width=x", "width = 'x' is no value"),
        ("ds_cnn:depth=0", "depth 0 is not from 1"),
        ("ds_cnn:depth=1e3", "depth = '1e3' is no value"),
        ("ds_cnn:kernel=0x3", "kernel and bottleneck must be at least 1"),
        ("ds_cnn:kernel=3x3x3", "no value for it"),
        ("ds_cnn:dropout=1", "dropout 1 is not from 0"),
        ("ds_cnn:wide=1", "unknown parameter 'wide'"),
        ("ds_cnn:bottleneck=2", "takes no 'bottleneck'"),
        ("lstm:depth=3", "takes no 'depth'"),
    ],
)
def test_a_wrong_spec_is_told(spec: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_architecture(spec)
    assert message in error.value.message


@pytest.mark.parametrize(
    ("arch", "shape", "expected"),
    [
        ("ds_cnn", (8, 8, 1), (8, 8, 1)),
        ("ds_cnn", (49, 10), (49, 10, 1)),
        ("conv1d", (100, 6), (100, 6)),
        ("conv1d", (100,), (100, 1)),
        ("mlp", (8, 8, 1), (8, 8, 1)),
        ("autoencoder", (8, 8), (64,)),
    ],
)
def test_samples_get_the_axes_that_are_missing(arch: str, shape: Any, expected: Any) -> None:
    assert input_shape(shape, read_architecture(arch)) == expected


@pytest.mark.parametrize(
    ("arch", "shape"), [("ds_cnn", (100,)), ("conv1d", (8, 8, 3)), ("lstm", (1000, 3))]
)
def test_samples_that_do_not_fit_are_told_with_another_way(arch: str, shape: Any) -> None:
    with pytest.raises(InputError) as error:
        input_shape(shape, read_architecture(arch))
    assert "--arch" in str(error.value.hint)


def test_a_value_of_the_wrong_kind_in_an_architecture_is_found() -> None:
    with pytest.raises(InputError):
        read_architecture(Architecture("ds_cnn", width=0.0, depth=4))
