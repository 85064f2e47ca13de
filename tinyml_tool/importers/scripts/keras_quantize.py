"""Quantizes a Keras file with TensorFlow Lite's converter; runs where TensorFlow is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import conversation
import numpy as np
import tensorflow as tf
from keras_file import inference, load, write

_TYPES = {"int8": tf.int8, "uint8": tf.uint8, "int16": tf.int16, "float": tf.float32}


def quantize(job: conversation.Job) -> dict[str, Any]:
    """Quantize with ranges measured on the job's samples, which the tool has checked."""
    conversation.tell({"progress": f"loading the file with TensorFlow {tf.__version__}"})
    model = load(job["source"])
    infer, shapes = inference(model, job)
    samples = conversation.source_inputs(job, shapes)

    def representative() -> Iterator[list[Any]]:
        for number, vector in enumerate(samples):
            text = f"calibrating on sample {number + 1} of {len(samples)}"
            conversation.tell({"progress": text})
            yield [np.asarray(one, np.float32) for one in vector]

    def settings(converter: Any) -> None:  # noqa: ANN401 - TensorFlow's converter
        wide = job["scheme"] == "int16x8"
        kernels = tf.lite.OpsSet
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = representative
        converter.target_spec.supported_ops = [
            kernels.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
            if wide
            else kernels.TFLITE_BUILTINS_INT8
        ]
        converter.inference_input_type = _TYPES[job["input_type"]]
        converter.inference_output_type = _TYPES[job["output_type"]]

    write(infer.get_concrete_function(), job["target"], settings)
    return {"converter": f"TensorFlow {tf.__version__}"}


if __name__ == "__main__":
    conversation.main(quantize)
