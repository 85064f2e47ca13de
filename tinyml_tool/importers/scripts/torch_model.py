"""Converts a PyTorch model to a float `.tflite`; runs where litert-torch is installed."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import warnings
from pathlib import Path
from typing import Any

import conversation
import numpy as np
import torch


def convert(job: conversation.Job) -> dict[str, Any]:
    """Convert, and run the source on the inputs to compare on."""
    warnings.simplefilter("ignore")
    conversation.tell({"progress": f"loading the model with PyTorch {torch.__version__}"})
    model, examples = _exported(job["source"]) if _is_file(job["source"]) else _called(job)
    shapes = conversation.static_shapes(
        job, [f"input {i}" for i in range(len(examples))], [tuple(e.shape) for e in examples]
    )
    conversation.tell({"progress": "running the source"})
    inputs = conversation.source_inputs(job, shapes)
    outputs = [_run(model, vector) for vector in inputs]
    conversation.save_comparison(job["comparison"], inputs, outputs)
    import litert_torch

    version = importlib.metadata.version("litert-torch")
    conversation.tell({"progress": f"converting with litert-torch {version}"})
    arguments = tuple(torch.zeros(shape) for shape in shapes)
    try:
        litert_torch.convert(model, arguments).export(job["target"])
    except (Exception, SystemExit) as error:
        lines = [line for line in str(error).strip().splitlines() if line.strip()]
        raise conversation.RefusalError(
            "unsupported",
            f"litert-torch {version} does not convert the model: "
            f"{(lines or [type(error).__name__])[0][:300]}",
            "replace the layer that it names; `torch.export.export` must take the model, too",
            lines[1:15],
        ) from None
    return {"converter": f"litert-torch {version}"}


def _is_file(source: str) -> bool:
    return Path(source).is_file()


def _exported(path: str) -> tuple[Any, list[Any]]:
    """The module and the example inputs of a `.pt2` file of torch.export."""
    try:
        program = torch.export.load(path)
    except Exception as error:
        raise conversation.RefusalError(
            "input",
            f"PyTorch {torch.__version__} does not load {Path(path).name}: "
            f"{str(error).strip().splitlines()[0][:300]}",
            "write it with torch.export.save(torch.export.export(model.eval(), inputs), file); "
            "a .pt of weights alone holds no model: give MODULE:FUNCTION instead",
        ) from None
    arguments = program.example_inputs[0] if program.example_inputs else ()
    return program.module(), _checked(arguments)


def _called(job: conversation.Job) -> tuple[Any, list[Any]]:
    """The model and the example inputs that the user's function `module:function` returns."""
    name, _, function = job["source"].partition(":")
    sys.path.insert(0, job.get("folder") or ".")
    try:
        made = getattr(importlib.import_module(name), function)()
    except Exception as error:
        raise conversation.RefusalError(
            "input",
            f"{job['source']} failed: {type(error).__name__}: {error}",
            "it must be a function without arguments that returns (model, example inputs)",
        ) from None
    if not (isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], torch.nn.Module)):
        raise conversation.RefusalError(
            "input",
            f"{job['source']} returns {type(made).__name__}",
            "it must return (model, example inputs): a torch.nn.Module and a tensor or a tuple",
        )
    model, arguments = made
    return model.eval(), _checked(arguments if isinstance(arguments, tuple) else (arguments,))


def _checked(arguments: Any) -> list[Any]:  # noqa: ANN401 - whatever the user gave
    if not arguments or not all(isinstance(each, torch.Tensor) for each in arguments):
        raise conversation.RefusalError(
            "input", "the example inputs are no tensors", "give one tensor, or a tuple of tensors"
        )
    return list(arguments)


def _run(model: Any, vector: list[Any]) -> list[Any]:  # noqa: ANN401 - a module
    with torch.no_grad():
        result = model(*(torch.from_numpy(np.ascontiguousarray(each)) for each in vector))
    return [each.detach().numpy() for each in _flatten(result)]


def _flatten(result: Any) -> list[Any]:  # noqa: ANN401 - nested outputs
    if isinstance(result, torch.Tensor):
        return [result]
    parts = result.values() if isinstance(result, dict) else result
    return [tensor for part in parts for tensor in _flatten(part)]


if __name__ == "__main__":
    conversation.main(convert)
