"""Run where TensorFlow is: what only the engine's own parts can show, as files for a test.

usage: python aware_models.py FOLDER CASES.json

For each case: fits the architecture on handwritten digits for some epochs, puts fake quantization
into it, and writes the `.tflite`, the inputs and the answers of the fake-quantized graph; then
silences channels, prunes exactly those, and writes how far the answers moved.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tinyml_tool.train.engine.build_model import build_model
from tinyml_tool.train.engine.channel_groups import ChannelGroups
from tinyml_tool.train.engine.fold_batch_norm import fold_batch_norms
from tinyml_tool.train.engine.messages import EngineError
from tinyml_tool.train.engine.prune_channels import prune_channels
from tinyml_tool.train.engine.quantization_aware import FakeQuantOptions, quantization_aware

tf.config.threading.set_intra_op_parallelism_threads(2)
tf.config.threading.set_inter_op_parallelism_threads(1)


def digits(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    data = load_digits()
    return (data.images / 16).astype(np.float32).reshape(-1, *shape), data.target


def fitted(arch: dict, x: np.ndarray, y: np.ndarray) -> keras.Model:
    keras.utils.set_random_seed(0)
    if arch["name"] == "mixed":
        model = mixed()
    else:
        model = build_model({"architecture": arch}, x.shape[1:], 10)
    if arch["name"] == "autoencoder":
        model.compile("adam", "mean_squared_error")
        model.fit(x, x, epochs=5, verbose=0)
    else:
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, epochs=5, verbose=0)
    return model


def mixed() -> keras.Model:
    """Layers and activations that a user's own model may have, and the known ones have not."""
    source = layers.Input((8, 8, 1))
    x = layers.Conv2D(8, 3, padding="same", activation="hard_swish")(source)
    gate = layers.Conv2D(8, 1, activation="sigmoid")(x)
    x = layers.Multiply()([x, gate])
    x = layers.Concatenate()([x, layers.ReLU(negative_slope=0.1)(layers.Conv2D(4, 1)(x))])
    x = layers.LeakyReLU(0.2)(layers.Conv2D(8, 3, groups=2)(layers.MaxPooling2D()(x)))
    return keras.Model(source, layers.Dense(10, "softmax")(layers.GlobalMaxPooling2D()(x)))


def refusals() -> dict[str, str]:
    """What is told of models that quantization-aware training cannot round."""

    def two_inputs() -> keras.Model:
        pair = [layers.Input((4,)), layers.Input((4,))]
        return keras.Model(pair, layers.Dense(2)(layers.Add()(pair)))

    def transposed() -> keras.Model:
        source = layers.Input((8, 8, 1))
        return keras.Model(source, layers.Conv2DTranspose(2, 3, name="up")(source))

    told = {}
    for build in (two_inputs, transposed):
        try:
            quantization_aware(fold_batch_norms(build()), FakeQuantOptions())
        except EngineError as error:
            told[build.__name__] = error.message
    return told


def silenced(model: keras.Model) -> int:
    """Make the channels that pruning half would remove do nothing; returns how many."""
    count = 0
    for group in ChannelGroups(model).groups():
        if group.fixed or group.channels < 8:
            continue
        silent = np.arange(group.channels) % 2 == 1
        for layer in (*group.makers, *group.handlers):
            weights = []
            for place, array in enumerate(map(np.copy, layer.get_weights())):
                is_statistic = isinstance(layer, layers.BatchNormalization) and place > 1
                if not isinstance(layer, layers.DepthwiseConv2D) and not is_statistic:
                    array[..., silent] = 0
                weights.append(array)
            layer.set_weights(weights)
        count += int(silent.sum())
    return count


def main() -> None:
    folder = Path(sys.argv[1])
    tf.config.experimental.enable_op_determinism()
    facts = {"refusals": refusals()}
    for name, case in json.loads(Path(sys.argv[2]).read_text()).items():
        x, y = digits(tuple(case["shape"]))
        model = fitted(case["architecture"], x[:800], y[:800])
        folded = fold_batch_norms(model)
        before, after = (one.predict(x[800:], verbose=0) for one in (model, folded))
        aware = quantization_aware(folded, FakeQuantOptions(case["bits"], per_channel=True))
        aware.calibrate(x[:200])
        (folder / f"{name}.tflite").write_bytes(aware.to_int8())
        answers = aware.model.predict(x[800:1100], verbose=0)
        np.savez(folder / f"{name}.npz", x=x[800:1100], answers=answers)
        facts[name] = {
            "folding": float(np.abs(before - after).max()),
            "quantizations": aware.quantizations(),
        }
        if case["prunes"]:
            silent = silenced(model)
            smaller, removed = prune_channels(model, 0.5, "norm")
            gap = np.abs(model.predict(x[800:], verbose=0) - smaller.predict(x[800:], verbose=0))
            facts[name] |= {
                "silent": silent,
                "removed": removed,
                "pruning": float(gap.max()),
                "parameters": [model.count_params(), smaller.count_params()],
            }
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
