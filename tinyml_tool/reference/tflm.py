"""TensorFlow Lite Micro's own interpreter (PyPI `tflite-micro`) as the reference."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import (
    InputError,
    InvalidModelError,
    TinymlError,
    ToolMissingError,
    UnsupportedModelError,
)
from tinyml_tool.reference.child_process import ChildEnd, run_in_child
from tinyml_tool.reference.model_facts import model_facts
from tinyml_tool.reference.stderr_capture import captured_stderr

_ARENA_LIMIT = 64 << 20
"""Working memory offered to the interpreter; pages it does not touch cost nothing."""
_ARENA_ALIGNMENT = 16
_TRIAL_SECONDS = 60.0
_MAIN_SUBGRAPH = 0


@dataclass(frozen=True)
class _Port:
    """An input or output of the model as the interpreter reports it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]


class _Interpreter(Protocol):
    """The part of `tflite_micro.runtime.Interpreter` used here."""

    def set_input(self, input_data: NDArray[Any], index: int) -> None: ...
    def invoke(self) -> int: ...
    def get_output(self, index: int) -> NDArray[Any]: ...
    def GetTensor(self, tensor_index: int, subgraph_index: int) -> dict[str, Any]: ...  # noqa: N802
    def get_input_details(self, index: int) -> dict[str, Any]: ...


class TflmReference:
    """The TFLM interpreter of one model; implements `Reference`.

    The model is first prepared and run once in a forked child: a file that crashes the
    interpreter ends in an error, not in a crash of this process.
    """

    def __init__(self, model: bytes, name: str) -> None:
        """Load the model file's content; `name` is what error messages call it.

        Raises InvalidModelError for what is no `.tflite` model or makes the interpreter crash,
        UnsupportedModelError, with TFLM's own words, for what TFLM does not run, and
        ToolMissingError where `tflite-micro` is not installed.
        """
        self.name = name
        self._model = model
        self._runtime = _runtime_module()
        _check_magic(model, name)
        self._try_out()
        self._facts = model_facts(model, name)
        self._interpreter = self._prepare()
        self.inputs = tuple(
            _port(self._interpreter.get_input_details(i)) for i in range(len(self._facts.inputs))
        )

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """One inference. Raises InputError for inputs of wrong number, type or shape."""
        self._invoke(inputs)
        return [self._interpreter.get_output(i) for i in range(len(self._facts.outputs))]

    def run_layers(self, inputs: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
        """One inference: every operator's outputs by tensor index, each an array of its own.

        Raises InputError for inputs of wrong number, type or shape.
        """
        self._invoke(inputs)
        return {
            tensor: self._interpreter.GetTensor(tensor, _MAIN_SUBGRAPH)["tensor_data"]
            for tensor in self._facts.operator_outputs
        }

    def arena_bytes(self) -> int:
        """Return the smallest arena, in steps of 16 bytes, with which the answer is right.

        Found by bisection in forked children, because the interpreter's own report can be too
        small and too small an arena may crash it.  A 32-bit target needs less than this host.
        """
        inputs = [_pattern(port) for port in self.inputs]
        expected = b"".join(output.tobytes() for output in self.run(inputs))
        too_small, enough = 0, _ARENA_ALIGNMENT
        while not self._runs_in(enough, inputs, expected):
            too_small, enough = enough, enough * 2
            if enough > _ARENA_LIMIT:
                raise UnsupportedModelError(_too_large(self.name))
        while enough - too_small > _ARENA_ALIGNMENT:
            middle = (too_small + enough) // 2 // _ARENA_ALIGNMENT * _ARENA_ALIGNMENT
            if self._runs_in(middle, inputs, expected):
                enough = middle
            else:
                too_small = middle
        return enough

    def _runs_in(self, arena: int, inputs: Sequence[NDArray[Any]], expected: bytes) -> bool:
        def answer() -> bytes:
            interpreter = self._runtime.Interpreter.from_bytes(self._model, arena_size=arena)
            _feed(interpreter, inputs)
            return b"".join(
                interpreter.get_output(i).tobytes() for i in range(len(self._facts.outputs))
            )

        return run_in_child(answer, _TRIAL_SECONDS).value == expected

    def _try_out(self) -> None:
        """Prepare and run the model in a child; raise what it shows to be wrong."""

        def trial() -> bytes:
            interpreter = self._new_interpreter()
            facts = model_facts(self._model, self.name)
            ports = [_port(interpreter.get_input_details(i)) for i in range(len(facts.inputs))]
            _feed(interpreter, [_pattern(port) for port in ports])
            for i in range(len(facts.outputs)):
                interpreter.get_output(i)
            for tensor in facts.operator_outputs:
                interpreter.GetTensor(tensor, _MAIN_SUBGRAPH)
            return b""

        end = run_in_child(trial, _TRIAL_SECONDS)
        if end.value is None:
            raise _verdict(self.name, end)

    def _new_interpreter(self) -> _Interpreter:
        interpreter: _Interpreter = self._runtime.Interpreter.from_bytes(
            self._model,
            arena_size=_ARENA_LIMIT,
            intrepreter_config=self._runtime.InterpreterConfig.kPreserveAllTensors,
        )
        return interpreter

    def _prepare(self) -> _Interpreter:
        with captured_stderr() as log:
            try:
                return self._new_interpreter()
            except Exception as error:
                failure = f"{type(error).__name__}: {error}"
        raise _verdict(self.name, ChildEnd(error=failure, log=log.lines))

    def _invoke(self, inputs: Sequence[NDArray[Any]]) -> None:
        self._check_inputs(inputs)
        with captured_stderr() as log:
            try:
                return _feed(self._interpreter, inputs)
            except Exception as error:
                failure = f"{type(error).__name__}: {error}"
        raise _verdict(self.name, ChildEnd(error=failure, log=log.lines))

    def _check_inputs(self, inputs: Sequence[NDArray[Any]]) -> None:
        if len(inputs) != len(self.inputs):
            raise InputError(f"{self.name} has {len(self.inputs)} inputs, {len(inputs)} were given")
        for index, (array, port) in enumerate(zip(inputs, self.inputs, strict=True)):
            if array.dtype != port.dtype or array.shape != port.shape:
                raise InputError(
                    f"input {index} of {self.name} needs {_described(port.dtype, port.shape)}, "
                    f"not {_described(array.dtype, array.shape)}"
                )


@cache
def _runtime_module() -> ModuleType:
    try:
        from tflite_micro import runtime
    except ImportError as error:
        raise ToolMissingError(
            f"the reference interpreter, Python package 'tflite-micro', does not load: {error}",
            hint=_way_to_install(),
        ) from None
    module: ModuleType = runtime
    return module


def _way_to_install() -> str:
    if (sys.platform, platform.machine()) == ("linux", "x86_64"):
        return "install it: python -m pip install 'tflite-micro>=0.dev20261023182759'"
    return "it exists for Linux on x86-64 only: run this command there, or in such a container"


def _check_magic(model: bytes, name: str) -> None:
    if not model:
        raise InvalidModelError(f"{name} is empty", hint="convert or download the model again")
    if model[4:8] != b"TFL3":
        raise InvalidModelError(
            f"{name} is not a .tflite model: bytes 4 to 7 are {model[4:8]!r} instead of b'TFL3'",
            hint="give the file that the TensorFlow Lite converter wrote",
        )


def _port(details: dict[str, Any]) -> _Port:
    return _Port(tuple(int(n) for n in details["shape"]), np.dtype(details["dtype"]))


def _pattern(port: _Port) -> NDArray[Any]:
    """Make an input that is not constant, so that a clobbered buffer shows in the answer."""
    values = np.arange(int(np.prod(port.shape)), dtype=np.int64) * 37 % 101 - 50
    if port.dtype.kind in "ub":
        values = values % 2 if port.dtype.kind == "b" else values + 50
    return values.reshape(port.shape).astype(port.dtype)


def _feed(interpreter: _Interpreter, inputs: Sequence[NDArray[Any]]) -> None:
    for index, array in enumerate(inputs):
        interpreter.set_input(np.ascontiguousarray(array).reshape(array.shape), index)
    interpreter.invoke()


def _described(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    return f"{dtype.name}[{'x'.join(map(str, shape)) or 'scalar'}]"


def _too_large(name: str) -> str:
    return f"{name} needs more than {_ARENA_LIMIT >> 20} MB of working memory in TFLM"


def _verdict(name: str, end: ChildEnd) -> TinymlError:
    """Return the error that tells a user how preparing or running the model in TFLM ended."""
    if end.signal_name is not None:
        return InvalidModelError(
            f"{name} crashes the TFLM interpreter ({end.signal_name})",
            hint="the file is damaged, its shapes contradict each other, or it meets a limit of "
            "TFLM (such as SOFTMAX over 512 or more equal values); convert it again",
            details=end.log,
        )
    if end.timed_out:
        return UnsupportedModelError(
            f"one inference of {name} takes the TFLM interpreter more than {_TRIAL_SECONDS:.0f} s",
            hint="the model is too large for a microcontroller",
            details=end.log,
        )
    if any("Failed to allocate" in line or "Failed to resize" in line for line in end.log):
        return UnsupportedModelError(_too_large(name), details=end.log)
    error = end.error or ""
    if not error.startswith("RuntimeError"):
        return InvalidModelError(
            f"{name} is damaged: {error}", hint="convert or download the model again"
        )
    return UnsupportedModelError(
        f"TFLM does not run {name}: {_cause(end.log) or error.removeprefix('RuntimeError: ')}",
        hint="`tinyml inspect` lists every layer that an engine does not support",
        details=end.log,
    )


def _cause(log: Sequence[str]) -> str:
    """Return what TFLM complained of first, with the layer it was preparing or running."""
    if not log:
        return ""
    unknown = _UNKNOWN_OPERATOR.match(log[0])
    if unknown:
        return f"it has no operator {unknown['kind']}"
    cause = re.sub(r"^tensorflow/\S+ ", "", log[0])  # the place in TFLM's own sources
    layer = next(filter(None, (_FAILED_LAYER.match(line) for line in log)), None)
    return f"layer {layer['number']} {layer['kind']}: {cause}" if layer else cause


_UNKNOWN_OPERATOR = re.compile(
    r"(Didn't find op for builtin opcode|Failed to get registration from op code) '?(?P<kind>\w+)"
)
_FAILED_LAYER = re.compile(r"Node (?P<kind>\S+) \(number (?P<number>\d+)f?\) failed")
