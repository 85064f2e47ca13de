"""What a training leaves: the model as `.keras` and as float `.tflite`, and its answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tinyml_tool.train.engine.arrays import Arrays

KERAS_FILE = "model.keras"
TFLITE_FILE = "model_float.tflite"
INT8_FILE = "model_int8.tflite"
SCORES_FILE = "scores.npz"
CALIBRATION_SAMPLES = 300


def export(model: keras.Model, arrays: Arrays, folder: Path) -> None:
    """Write model and answers (`scores_validation`, `scores_test`) to `folder`."""
    scores: dict[str, Any] = {}
    for name in ("validation", "test"):
        x = getattr(arrays, name).x
        shape = (0, *model.output_shape[1:])
        scores[f"scores_{name}"] = predict(model, x) if len(x) else np.zeros(shape, np.float32)
    np.savez(folder / SCORES_FILE, **scores)
    (folder / TFLITE_FILE).write_bytes(to_tflite(model))
    model.save(folder / KERAS_FILE)


def calibration_samples(arrays: Arrays) -> Any:  # noqa: ANN401
    """Evenly spread training samples: what ranges of activations are measured on."""
    x = arrays.train.x
    return x[np.linspace(0, len(x) - 1, min(len(x), CALIBRATION_SAMPLES)).astype(np.int64)]


def predict(model: keras.Model, x: Any) -> Any:  # noqa: ANN401 - arrays
    """The model's answers to `x`, float32."""
    return np.asarray(model.predict(x, batch_size=256, verbose=0), np.float32)


def to_tflite(model: keras.Model) -> bytes:
    """The model as float `.tflite` with batch 1 and static shapes.

    With an open batch size the converter would compute shapes at run time.
    """
    source = keras.layers.Input(batch_shape=(1, *model.input_shape[1:]))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(source, model(source)))
    data: bytes = converter.convert()
    return data
