"""The networks that `build_model` can make, one family a file.

Each builder takes the input shape (without batch), the number of outputs and the resolved
architecture, and gives a functional Keras model of plain layers, which loads without this package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tinyml_tool.train.engine.architectures import (
    autoencoder,
    cnn,
    conv1d,
    ds_cnn,
    lstm,
    mlp,
    mobilenet_v1,
    resnet8,
    tcn,
)

Builder = Callable[[tuple[int, ...], int, Mapping[str, Any]], Any]

BUILDERS: dict[str, Builder] = {
    "autoencoder": autoencoder.build,
    "cnn": cnn.build,
    "conv1d": conv1d.build,
    "ds_cnn": ds_cnn.build,
    "lstm": lstm.build,
    "mlp": mlp.build,
    "mobilenet_v1": mobilenet_v1.build,
    "resnet8": resnet8.build,
    "tcn": tcn.build,
}
"""By the name in a job; the names and their parameters are told in `train/architecture.py`."""
