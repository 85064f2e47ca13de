"""Trains the digits model and quantizes it: writes digits.tflite and training.json beside itself.

Needs TensorFlow and scikit-learn (`pip install 'tinyml-tool[train]'`); takes under a minute.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf
from dataset import SHAPE, Samples, fingerprint, load_samples, quantize
from keras import layers
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Settings:
    """Everything that decides the result, besides the data and the versions of the libraries."""

    seed: int = 0
    epochs: int = 120
    batch_size: int = 32
    learning_rate: float = 3e-3
    shift_pixels: int = 1
    noise: float = 0.05
    calibration_samples: int = 300


def build_model() -> keras.Model:
    """Build 8x8x1 -> 10 probabilities: a convolution, two separable ones, pooling, one dense."""
    image = layers.Input(SHAPE)
    hidden = layers.Conv2D(16, 3, padding="same", use_bias=False)(image)
    hidden = layers.ReLU()(layers.BatchNormalization()(hidden))
    hidden = _separable(hidden, 32)
    hidden = layers.MaxPooling2D()(hidden)
    hidden = layers.Dropout(0.2)(_separable(hidden, 48))
    hidden = layers.Flatten()(layers.AveragePooling2D(2)(hidden))
    hidden = layers.Dropout(0.3)(hidden)
    return keras.Model(image, layers.Dense(10, activation="softmax")(hidden), name="digits")


def _separable(hidden: Any, channels: int) -> Any:
    hidden = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(hidden)
    hidden = layers.ReLU()(layers.BatchNormalization()(hidden))
    hidden = layers.Conv2D(channels, 1, use_bias=False)(hidden)
    return layers.ReLU()(layers.BatchNormalization()(hidden))


def train(model: keras.Model, samples: Samples, settings: Settings) -> None:
    """Fit on pictures that are shifted and made noisy anew in every epoch."""
    data = (
        tf.data.Dataset.from_tensor_slices((samples.images, samples.labels))
        .shuffle(len(samples.labels), seed=settings.seed)
        .map(_augmentation(settings), deterministic=True)
        .batch(settings.batch_size)
    )
    steps = settings.epochs * -(-len(samples.labels) // settings.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(data, epochs=settings.epochs, verbose=2)


def _augmentation(settings: Settings) -> Any:
    border = settings.shift_pixels

    def augment(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        padded = tf.pad(image, [[border, border], [border, border], [0, 0]])
        shifted = tf.image.random_crop(padded, SHAPE)
        noisy = shifted + tf.random.normal(SHAPE, stddev=settings.noise)
        return tf.clip_by_value(noisy, 0.0, 1.0), label

    return augment


def convert(model: keras.Model, samples: Samples, settings: Settings) -> bytes:
    """Quantize to int8 throughout, inputs and outputs included; ranges come from real pictures."""

    def calibration() -> Iterator[list[NDArray[np.float32]]]:
        for image in samples.images[: settings.calibration_samples]:
            yield [image[np.newaxis]]

    # With an open batch size the converter would compute the shape of Flatten at run time.
    image = layers.Input(batch_shape=(1, *SHAPE))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, model(image)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = calibration
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def float_accuracy(model: keras.Model, samples: Samples) -> float:
    """Share of right answers of the model before quantization."""
    scores = model.predict(samples.images, verbose=0)
    return float(np.mean(scores.argmax(axis=1) == samples.labels))


def int8_accuracy(model: bytes, samples: Samples) -> float:
    """Share of right answers in TensorFlow Lite with its reference kernels."""
    resolver = tf.lite.experimental.OpResolverType.BUILTIN_REF
    interpreter = tf.lite.Interpreter(model_content=model, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    right = 0
    for image, label in zip(
        quantize(samples.images, *source["quantization"]), samples.labels, strict=True
    ):
        interpreter.set_tensor(source["index"], image[np.newaxis])
        interpreter.invoke()
        right += int(interpreter.get_tensor(target["index"]).argmax() == label)
    return right / len(samples.labels)


def main() -> None:
    settings = Settings()
    keras.utils.set_random_seed(settings.seed)
    tf.config.experimental.enable_op_determinism()
    training, test = load_samples()
    model = build_model()
    train(model, training, settings)
    data = convert(model, training, settings)
    record = {
        "settings": asdict(settings),
        "parameters": model.count_params(),
        "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        "training": {"samples": len(training.labels), "sha256": fingerprint(training)},
        "test": {"samples": len(test.labels), "sha256": fingerprint(test)},
        "accuracy": {"float": float_accuracy(model, test), "int8": int8_accuracy(data, test)},
        "model": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()},
    }
    (FOLDER / "digits.tflite").write_bytes(data)
    (FOLDER / "training.json").write_text(json.dumps(record, indent=2) + "\n")
    print(json.dumps(record["accuracy"]), f"{len(data)} bytes")


if __name__ == "__main__":
    main()
