"""Weights that share few values: k-means by layer, kept while training goes on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

_ROUNDS = 30


def cluster(values: Any, count: int) -> tuple[Any, Any]:  # noqa: ANN401
    """(centroids ascending, index of each value's centroid) by Lloyd's algorithm in one dimension.

    It starts from even steps between the smallest and the largest value (Han et al. 2016, 3.2).
    """
    flat = values.reshape(-1)
    centroids = np.linspace(flat.min(), flat.max(), min(count, np.unique(flat).size))
    for _ in range(_ROUNDS):
        nearest = _nearest(flat, centroids)
        sums = np.bincount(nearest, flat, len(centroids))
        members = np.bincount(nearest, minlength=len(centroids))
        centroids = np.where(members > 0, sums / np.maximum(members, 1), centroids)
    return centroids, _nearest(flat, centroids).reshape(values.shape)


def _nearest(flat: Any, centroids: Any) -> Any:  # noqa: ANN401
    return np.abs(flat[:, None] - centroids[None, :]).argmin(axis=1)


class KeepClusters(keras.callbacks.Callback):
    """Puts each cluster's weights back on their mean after every step."""

    def __init__(self, model: keras.Model, count: int) -> None:
        super().__init__()
        self._clusters = []
        for layer in model.layers:
            if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D | layers.Dense):
                _, index = cluster(layer.kernel.numpy(), count)
                self._clusters.append((layer, index))
        self._snap()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ANN401
        """Called by Keras."""
        del batch, logs
        self._snap()

    def _snap(self) -> None:
        for layer, index in self._clusters:
            flat = layer.kernel.numpy().reshape(-1)
            places = index.reshape(-1)
            sums = np.bincount(places, flat)
            members = np.maximum(np.bincount(places), 1)
            layer.kernel.assign((sums / members)[index].astype(np.float32))


def distinct_weights(model: keras.Model) -> int:
    """The most different values that one layer's kernel has."""
    kernels = [layer.kernel for layer in model.layers if hasattr(layer, "kernel")]
    return max(len(np.unique(kernel.numpy())) for kernel in kernels)
