from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from training_case import series

from tinyml_tool.errors import InputError
from tinyml_tool.train.architecture import read_architecture
from tinyml_tool.train.dataset import TEST, TRAIN, VALIDATION
from tinyml_tool.train.prepare import Prepared, prepare
from tinyml_tool.train.splits import SplitShares


def prepared(arch: str = "conv1d", **options: object) -> Prepared:
    return prepare(series(), read_architecture(arch), shares=SplitShares(), **options)  # type: ignore[arg-type]


def test_the_figures_of_scaling_come_from_the_training_part_alone() -> None:
    found = prepared()
    x, _ = found.part(TRAIN)
    assert np.allclose(x.mean(axis=(0, 1)), 0, atol=1e-5)
    x, _ = found.part(TEST)
    assert not np.allclose(x.mean(axis=(0, 1)), 0, atol=1e-5)


def test_each_sample_is_in_one_part() -> None:
    found = prepared()
    assert sum(len(found.part(part)[1]) for part in (TRAIN, VALIDATION, TEST)) == 60


def test_features_are_taken_as_they_are_unless_scaling_is_asked_for() -> None:
    found = prepared("mlp", features=lambda raw: raw[:, 0] * 100)
    assert np.array_equal(found.x, (series().samples[:, 0] * 100).astype(np.float32))
    scaled = prepared("mlp", features=lambda raw: raw[:, 0] * 100, scaling="standardize")
    assert abs(scaled.x.mean()) < 0.5


@pytest.mark.parametrize("wrong", [lambda raw: raw[:5], lambda raw: raw * np.nan])
def test_features_must_be_finite_and_one_a_sample(wrong: object) -> None:
    with pytest.raises(InputError, match="the features of 60 samples"):
        prepared(features=wrong)


def test_an_autoencoder_learns_normal_samples_alone() -> None:
    found = prepared("autoencoder", normal="wave 1")
    assert set(found.part(TRAIN)[1].tolist()) == {1}
    assert set(found.part(VALIDATION)[1].tolist()) == {1}
    assert set(found.part(TEST)[1].tolist()) == {0, 1, 2}
    assert found.x.shape == (60, 24)


def test_groups_of_normal_samples_stay_together() -> None:
    data = replace(series(), groups=np.arange(60) // 6)
    found = prepare(data, read_architecture("autoencoder"), shares=SplitShares(), normal="wave 1")
    usual = data.labels == 1
    assert data.groups is not None
    for group in range(10):
        assert len(set(found.parts[usual & (data.groups == group)].tolist())) == 1


@pytest.mark.parametrize(
    ("arch", "normal", "message"),
    [
        ("autoencoder", None, "no class is 'normal'; there are wave 0, wave 1, wave 2"),
        ("autoencoder", "wave 9", "no class is 'wave 9'"),
        ("mlp", "wave 0", "for --arch autoencoder only"),
    ],
)
def test_a_wrong_normal_class_is_told(arch: str, normal: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        prepared(arch, normal=normal)


def test_too_few_normal_samples_are_an_error() -> None:
    data = replace(series(30), labels=np.array([1] * 2 + [0] * 28))
    with pytest.raises(InputError):
        prepare(data, read_architecture("autoencoder"), shares=SplitShares(), normal="wave 1")


def test_the_hash_depends_on_division_and_inputs() -> None:
    assert prepared().sha256 == prepared().sha256
    assert prepared().sha256 != prepared(scaling="none").sha256
    other = prepare(series(), read_architecture("conv1d"), shares=SplitShares(seed=1))
    assert other.sha256 != prepared().sha256
