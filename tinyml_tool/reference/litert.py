"""LiteRT's interpreter as the reference of float models.

Only for float: on integers LiteRT and TensorFlow Lite Micro do not agree bit for bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InvalidModelError, TinymlError, UnsupportedModelError
from tinyml_tool.reference.child_process import ChildEnd, run_in_child
from tinyml_tool.reference.model_facts import model_facts
from tinyml_tool.reference.stderr_capture import captured_stderr

_TRIAL_SECONDS = 60.0


class LitertReference:
    """The LiteRT interpreter of one model, with reference kernels: no delegate, one thread.

    The model is first prepared and run once in a forked child: a file that crashes the
    interpreter ends in an error, not in a crash of this process.
    """

    def __init__(
        self, model: bytes, name: str, shapes: Sequence[Sequence[int]] | None = None
    ) -> None:
        """Load the model file's content; `name` is what error messages call it.

        `shapes` are the inputs', where the file leaves them open.

        Raises InvalidModelError for what is no `.tflite` model or makes the interpreter crash,
        UnsupportedModelError, with LiteRT's own words, for what it does not run.
        """
        self.name = name
        self._model = model
        facts = model_facts(model, name)
        self._layer_outputs = facts.operator_outputs
        self._inputs, self._outputs = facts.inputs, facts.outputs
        self._shapes = shapes
        end = run_in_child(self._trial, _TRIAL_SECONDS)
        if end.value is None:
            raise _verdict(name, end)
        with captured_stderr():
            self._interpreter = self._prepared()

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """One inference: an array for each model input gives an array for each model output."""
        self._invoke(inputs)
        return [self._interpreter.get_tensor(index) for index in self._outputs]

    def run_layers(self, inputs: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
        """One inference: the value of every operator's outputs, by tensor index."""
        self._invoke(inputs)
        return {index: self._interpreter.get_tensor(index) for index in self._layer_outputs}

    def _invoke(self, inputs: Sequence[NDArray[Any]]) -> None:
        for index, values in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(index, values)
        self._interpreter.invoke()

    def _prepared(self) -> Any:  # noqa: ANN401 - an untyped library
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # LiteRT warns that keeping tensors takes memory
            interpreter = Interpreter(
                model_content=self._model,
                experimental_preserve_all_tensors=True,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
                num_threads=1,
            )
        for index, shape in zip(self._inputs, self._shapes or (), strict=False):
            interpreter.resize_tensor_input(index, list(shape))
        interpreter.allocate_tensors()
        return interpreter

    def _trial(self) -> bytes:
        interpreter = self._prepared()
        for details in interpreter.get_input_details():
            zeros = np.zeros(details["shape"], details["dtype"])
            interpreter.set_tensor(details["index"], zeros)
        interpreter.invoke()
        return b""


def _verdict(name: str, end: ChildEnd) -> TinymlError:
    if end.signal_name is not None:
        return InvalidModelError(
            f"{name} crashes the LiteRT interpreter ({end.signal_name})",
            hint="the file is damaged or its shapes contradict each other; convert it again",
            details=end.log,
        )
    if end.timed_out:
        return UnsupportedModelError(
            f"one inference of {name} takes LiteRT more than {_TRIAL_SECONDS:.0f} s",
            hint="the model is too large for a microcontroller",
        )
    error = (end.error or "").split(": ", 1)[-1]
    return UnsupportedModelError(
        f"LiteRT does not run {name}: {error}",
        hint="`tinyml inspect` lists what is wrong with the model, layer by layer",
        details=end.log,
    )
