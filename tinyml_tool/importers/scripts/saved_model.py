"""Converts a SavedModel to a float `.tflite`; runs where TensorFlow is installed."""

from __future__ import annotations

from typing import Any

import conversation
import numpy as np
import tensorflow as tf
from keras_file import write


def convert(job: conversation.Job) -> dict[str, Any]:
    """Convert the serving signature, and run the source on the inputs to compare on."""
    conversation.tell({"progress": f"loading the SavedModel with TensorFlow {tf.__version__}"})
    signature = _signature(job["source"])
    entering = signature.structured_input_signature[1]
    names = list(entering)
    shapes = conversation.static_shapes(job, names, [_lengths(entering[name]) for name in names])
    specs = [
        tf.TensorSpec(shape, entering[name].dtype, name=name)
        for name, shape in zip(names, shapes, strict=True)
    ]

    @tf.function(input_signature=specs)  # type: ignore[untyped-decorator]
    def infer(*inputs: Any) -> Any:  # noqa: ANN401 - TensorFlow's tensors
        return signature(**dict(zip(names, inputs, strict=True)))

    conversation.tell({"progress": "running the source"})
    inputs = conversation.source_inputs(job, shapes)
    outputs = [
        [np.asarray(one) for one in tf.nest.flatten(infer(*map(tf.constant, vector)))]
        for vector in inputs
    ]
    conversation.save_comparison(job["comparison"], inputs, outputs)
    conversation.tell({"progress": "converting with TensorFlow Lite's converter"})
    write(infer.get_concrete_function(), job["target"])
    return {"converter": f"TensorFlow {tf.__version__}"}


def _signature(folder: str) -> Any:  # noqa: ANN401 - a concrete function
    try:
        loaded = tf.saved_model.load(folder)
    except Exception as error:
        raise conversation.RefusalError(
            "input", f"TensorFlow {tf.__version__} does not load the SavedModel: {error}"
        ) from None
    signatures = dict(loaded.signatures)
    if not signatures:
        raise conversation.RefusalError(
            "unsupported",
            "the SavedModel has no signature, so nobody knows its inputs",
            "export it with model.export(folder), or with a signature 'serving_default'",
        )
    name = "serving_default" if "serving_default" in signatures else next(iter(signatures))
    signature = signatures[name]
    signature.keep = loaded  # a function does not hold on to its variables
    return signature


def _lengths(spec: Any) -> list[int | None]:  # noqa: ANN401 - a TensorSpec
    if spec.shape.rank is None:
        raise conversation.RefusalError(
            "unsupported",
            f"input '{spec.name}' has not even a rank",
            "export the model with the shapes of its inputs",
        )
    return list(spec.shape)


if __name__ == "__main__":
    conversation.main(convert)
