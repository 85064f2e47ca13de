"""Converts an ONNX file to a float `.tflite`; runs where onnx2tf is installed."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import conversation
import numpy as np
import onnx
import onnxruntime


def convert(job: conversation.Job) -> dict[str, Any]:
    """Convert, and run the source on the inputs to compare on."""
    conversation.tell({"progress": "checking the ONNX file"})
    model = _load(job["source"])
    names, shapes = _inputs(model)
    fixed = conversation.static_shapes(job, names, shapes)
    conversation.tell({"progress": f"running the source with onnxruntime {_version(onnxruntime)}"})
    inputs = conversation.source_inputs(job, fixed)
    conversation.save_comparison(job["comparison"], inputs, _run(job["source"], names, inputs))
    import onnx2tf

    conversation.tell(
        {"progress": f"converting with onnx2tf {_version(onnx2tf)} (imports TensorFlow)"}
    )
    with tempfile.TemporaryDirectory() as folder:
        try:
            onnx2tf.convert(
                input_onnx_file_path=job["source"],
                output_folder_path=folder,
                overwrite_input_shape=[
                    f"{name}:{','.join(map(str, shape))}"
                    for name, shape in zip(names, fixed, strict=True)
                ],
                copy_onnx_input_output_names_to_tflite=True,
                non_verbose=True,
            )
        except (Exception, SystemExit) as error:
            raise conversation.RefusalError(
                "unsupported",
                f"onnx2tf {_version(onnx2tf)} does not convert the model: "
                f"{str(error).strip()[:300] or type(error).__name__}",
                "replace the layer that it names, or simplify the model with onnxsim",
                _unknown_operators(model),
            ) from None
        (written,) = Path(folder).glob("*_float32.tflite")
        shutil.copyfile(written, job["target"])
    return {"converter": f"onnx2tf {_version(onnx2tf)}"}


def _version(module: Any) -> str:  # noqa: ANN401 - a module
    return str(getattr(module, "__version__", "?"))


def _load(path: str) -> Any:  # noqa: ANN401 - an ONNX model
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise conversation.RefusalError(
            "input", f"the file is no sound ONNX model: {lines[0][:300]}", "export it again"
        ) from None
    foreign = [
        f"node '{node.name or number}': {node.domain}.{node.op_type}"
        for number, node in enumerate(model.graph.node)
        if node.domain not in ("", "ai.onnx")
    ]
    if foreign:
        raise conversation.RefusalError(
            "unsupported",
            f"the model holds {len(foreign)} operators that are not ONNX's own",
            "export it without custom operators",
            foreign,
        )
    return model


def _inputs(model: Any) -> tuple[list[str], list[list[int | None]]]:  # noqa: ANN401
    stored = {tensor.name for tensor in model.graph.initializer}
    entering = [value for value in model.graph.input if value.name not in stored]
    shapes: list[list[int | None]] = [
        [int(d.dim_value) if d.HasField("dim_value") else None for d in _dimensions(value)]
        for value in entering
    ]
    return [str(value.name) for value in entering], shapes


def _dimensions(value: Any) -> Any:  # noqa: ANN401 - protocol buffers
    return value.type.tensor_type.shape.dim


def _run(path: str, names: list[str], inputs: list[list[Any]]) -> list[list[Any]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    try:
        return [
            [np.asarray(one) for one in session.run(None, dict(zip(names, vector, strict=True)))]
            for vector in inputs
        ]
    except Exception as error:
        raise conversation.RefusalError(
            "unsupported", f"onnxruntime does not run the model: {str(error).strip()[:300]}"
        ) from None


def _unknown_operators(model: Any) -> list[str]:  # noqa: ANN401 - an ONNX model
    """Operators that onnx2tf has no converter of."""
    import onnx2tf.ops

    known = {path.stem for path in Path(onnx2tf.ops.__path__[0]).glob("*.py")}
    return [
        f"node '{node.name or number}': {node.op_type} has no converter"
        for number, node in enumerate(model.graph.node)
        if node.op_type not in known and f"_{node.op_type}" not in known
    ]


if __name__ == "__main__":
    conversation.main(convert)
