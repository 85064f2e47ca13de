"""Weights of few bits cost most of the accuracy; training with them must win most of it back."""

from __future__ import annotations

import numpy as np
import pytest
from training_case import needs_tensorflow

import tinyml_tool as tt
from tinyml_tool.api.compress import compress
from tinyml_tool.api.train import Trained, train
from tinyml_tool.train.compression import CompressOptions
from tinyml_tool.train.dataset import TEST, UNASSIGNED, Dataset, make_dataset
from tinyml_tool.train.settings import TrainSettings

pytestmark = [needs_tensorflow, pytest.mark.slow]
TEST_SAMPLES = 450


def digits() -> Dataset:
    """Scikit-learn's handwritten digits; the last 450 are the test, as in examples/digits."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images = (data.images / 16).astype(np.float32)[..., None]
    split = np.full(len(images), UNASSIGNED, np.int8)
    split[-TEST_SAMPLES:] = TEST
    names = tuple(map(str, range(10)))
    return make_dataset("digits", "image", images, data.target, names, split=split)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    settings = TrainSettings(epochs=25, augmentation=tt.Augmentation(shift=1, noise=0.05))
    place = tmp_path_factory.mktemp("harsh") / "digits"
    arch = "ds_cnn:width=0.375,depth=2"
    return train(digits(), arch=arch, output=place, settings=settings, scaling="none")


@pytest.mark.parametrize("bits", [3, 2])
def test_half_of_what_few_bits_lose_comes_back_by_training(trained, tmp_path, bits) -> None:
    done = compress(
        trained.folder,
        method="qat",
        output=tmp_path / "qat",
        options=CompressOptions(weight_bits=bits),
        settings=TrainSettings(epochs=25, augmentation=tt.Augmentation(shift=1, noise=0.05)),
        measure=False,
    )
    quality = {row.name: row.quality or 0.0 for row in done.rows}
    before = quality["given, float"] - quality["rounded, not trained"]
    after = quality["given, float"] - quality["qat, int8"]
    print(f"{bits} bits: {before:.3f} lost by rounding, {after:.3f} after training")
    assert before > 0.1, quality
    assert after < before / 2, quality
