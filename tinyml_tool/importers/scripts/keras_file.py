"""Converts a `.keras` or `.h5` file to a float `.tflite`; runs where TensorFlow is installed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from typing import Any

import conversation
import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable(package="tinyml", name="OldDepthwiseConv2D")
class OldDepthwiseConv2D(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """As files of Keras 2 store it: with an argument `groups`, which is always 1."""

    def __init__(self, *arguments: Any, groups: int = 1, **options: Any) -> None:  # noqa: ANN401
        if groups != 1:
            raise ValueError(f"DepthwiseConv2D with groups={groups}")
        super().__init__(*arguments, **options)


def load(path: str) -> Any:  # noqa: ANN401 - a Keras model
    """Load the model for inference.  Custom layers are all named."""
    custom = custom_layers(path)
    if custom:
        raise conversation.RefusalError(
            "unsupported",
            f"the file holds custom layers: {', '.join(sorted(set(custom.values())))}",
            "import it from Python where their classes are defined, as a SavedModel "
            "(model.export(folder)), or replace them by layers of Keras",
            [f"layer '{name}': {kind}" for name, kind in custom.items()],
        )
    try:
        objects = {} if path.endswith(".keras") else {"DepthwiseConv2D": OldDepthwiseConv2D}
        return keras.saving.load_model(path, compile=False, safe_mode=True, custom_objects=objects)
    except Exception as error:
        text = str(error).strip().splitlines()
        raise conversation.RefusalError(
            "input",
            f"Keras {keras.__version__} does not load the file: {text[0] if text else error}",
            "save it again with a current Keras, or export it as a SavedModel",
            text[1:15],
        ) from None


def custom_layers(path: str) -> dict[str, str]:
    """Layers whose classes are not Keras's own: name to class."""
    try:
        config = _config(path)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return {}  # what is wrong with the file, loading it tells
    found: dict[str, str] = {}
    _collect(config, found)
    return found


def _config(path: str) -> Any:  # noqa: ANN401 - any JSON
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read("config.json"))
    import h5py

    with h5py.File(path, "r") as file:
        return json.loads(file.attrs["model_config"])


def _collect(node: Any, found: dict[str, str]) -> None:  # noqa: ANN401 - any JSON
    if isinstance(node, list):
        for part in node:
            _collect(part, found)
    if not isinstance(node, dict):
        return
    kind, config = node.get("class_name"), node.get("config")
    if isinstance(kind, str) and isinstance(config, dict) and "name" in config:
        module = str(node.get("module") or "")
        ours = module.startswith("keras") or (not module and _is_known(kind))
        if node.get("registered_name") and not module.startswith("keras"):
            ours = False
        if not ours and kind not in ("Functional", "Sequential", "Model", "__tensor__"):
            found[str(config["name"])] = kind
    for part in node.values():
        _collect(part, found)


def _is_known(kind: str) -> bool:
    return any(hasattr(place, kind) for place in (keras.layers, keras, keras.initializers))


def convert(job: conversation.Job) -> dict[str, Any]:
    """Convert, and run the source on the inputs to compare on."""
    conversation.tell({"progress": f"loading the file with Keras {keras.__version__}"})
    model = load(job["source"])
    infer, shapes = inference(model, job)
    conversation.tell({"progress": "running the source"})
    inputs = conversation.source_inputs(job, shapes)
    outputs = [
        [np.asarray(one) for one in tf.nest.flatten(infer(*map(tf.constant, vector)))]
        for vector in inputs
    ]
    conversation.save_comparison(job["comparison"], inputs, outputs)
    conversation.tell({"progress": "converting with TensorFlow Lite's converter"})
    write(infer.get_concrete_function(), job["target"])
    return {
        "converter": f"TensorFlow {tf.__version__}",
        "inputs": [str(t.name) for t in model.inputs],
    }


def inference(model: Any, job: conversation.Job) -> tuple[Any, list[list[int]]]:  # noqa: ANN401
    """The model as a function of inputs with static shapes, and those shapes."""
    names = [str(tensor.name) for tensor in model.inputs]
    shapes = conversation.static_shapes(job, names, [tuple(t.shape) for t in model.inputs])
    kinds = [tf.as_dtype(str(tensor.dtype)) for tensor in model.inputs]
    specs = [tf.TensorSpec(shape, kind) for shape, kind in zip(shapes, kinds, strict=True)]

    @tf.function(input_signature=specs)  # type: ignore[untyped-decorator]
    def infer(*inputs: Any) -> Any:  # noqa: ANN401 - TensorFlow's tensors
        return model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)

    return infer, shapes


def write(
    function: Any,  # noqa: ANN401 - a concrete function
    target: str,
    settings: Callable[[Any], None] = lambda converter: None,
) -> None:
    """Convert, or refuse with all operators that TensorFlow Lite has not."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    try:
        # The converter by itself leaves the variables of Keras 3 models variables.
        frozen = convert_variables_to_constants_v2(function)
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
        settings(converter)
        content = converter.convert()
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        wanted = [
            line for line in lines if line.startswith(("TF ", "Flex ops", "Custom ops", "tf."))
        ]
        raise conversation.RefusalError(
            "unsupported",
            "TensorFlow Lite has no counterpart of some layers: "
            f"{(wanted or lines or [type(error).__name__])[0][:300]}",
            "replace these layers; recurrent ones need unroll=True",
            (wanted or lines)[:30],
        ) from None
    with open(target, "wb") as file:  # noqa: PTH123
        file.write(content)


if __name__ == "__main__":
    conversation.main(convert)
