"""Run where TensorFlow is: fits each architecture for some epochs, writes it as int8.

usage: python int8_models.py FOLDER ARCHITECTURES.json
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

from tinyml_tool.train.engine.arrays import Arrays, Part
from tinyml_tool.train.engine.build_model import build_model
from tinyml_tool.train.engine.fit import fit
from tinyml_tool.train.engine.job import Fit, Job
from tinyml_tool.train.engine.messages import Messages

CLASSES = 3


def samples(shape: tuple[int, ...]) -> Part:
    rng = np.random.default_rng(0)
    labels = np.arange(48) % CLASSES
    values = rng.normal(labels.reshape(-1, *[1] * len(shape)), 1, (48, *shape))
    return Part(values.astype(np.float32), labels)


def to_int8(model: keras.Model, part: Part) -> bytes:
    source = keras.layers.Input(batch_shape=(1, *model.input_shape[1:]))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(source, model(source)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([one[None]] for one in part.x)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter.convert()


def main() -> None:
    folder = Path(sys.argv[1])
    tf.config.experimental.enable_op_determinism()  # as the engine does; it also avoids XLA
    messages = Messages()
    for case in json.loads(Path(sys.argv[2]).read_text()):
        shape, arch = tuple(case["shape"]), case["architecture"]
        part = samples(shape)
        work = folder / arch["name"]
        work.mkdir()
        task = "reconstruction" if arch["name"] == "autoencoder" else "classification"
        spec = {"architecture": arch}
        job = Job("train", work, work, spec, task, CLASSES, Fit(15, 8, 3e-3, 0), {})
        keras.utils.set_random_seed(0)
        model = build_model(spec, shape, CLASSES)
        fit(model, Arrays(part, part, part), job, messages)
        (work / "int8.tflite").write_bytes(to_int8(model, part))


if __name__ == "__main__":
    main()
