"""The generated preprocessing as a Python object: raw samples in, the model's input out."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.firmware.features_files import features_files, host_source
from tinyml_tool.preprocess.plan import FeaturePlan
from tinyml_tool.toolchain.host_library import host_library

_MAIN = "features_host.c"


class FeatureStream:
    """One stream of samples; each has its own state, all share the compiled library."""

    def __init__(self, plan: FeaturePlan) -> None:
        """Build or find the library.  Raises what `host_library` raises."""
        self.plan = plan
        # PyDLL keeps the interpreter's lock: the library's one static state is never shared.
        self._library = _declared(ctypes.PyDLL(str(_library(plan))))
        self._state = ctypes.create_string_buffer(self._library.features_host_state_bytes())
        self._output = np.zeros(plan.values, plan.format.dtype)
        self.restart()

    def restart(self) -> None:
        """Forget all samples."""
        self._library.features_start(_address(self._output))
        self._library.features_host_save(self._state)
        self.is_ready = False

    def push(self, samples: NDArray[Any]) -> int:
        """Feed samples until they are used up or an input is complete; returns how many it took.

        Raises InputError for samples of another type than the spec's.
        """
        checked = self.checked(samples)
        self._library.features_host_load(self._state, _address(self._output))
        taken = int(self._library.features_push(_address(checked), checked.size))
        self._library.features_host_save(self._state)
        self.is_ready = bool(self._library.features_ready())
        return taken

    @property
    def features(self) -> NDArray[Any]:
        """A copy of the last input that was completed; shape `plan.shape`."""
        return self._output.reshape(self.plan.shape).copy()

    def extract(self, samples: NDArray[Any]) -> NDArray[Any]:
        """All inputs that are complete within `samples`, from anew; (windows, *plan.shape).

        The stream's own state stays as it is.
        """
        checked = self.checked(samples)
        most = self.plan.spec.windows_in(checked.size)
        outputs = np.zeros((most, *self.plan.shape), self.plan.format.dtype)
        found = self._library.features_host_extract(
            _address(checked), checked.size, _address(outputs), most
        )
        return outputs[: int(found)]

    def checked(self, samples: NDArray[Any]) -> NDArray[Any]:
        """`samples` as one contiguous row of the spec's type.  Raises InputError for others."""
        wanted = np.dtype(self.plan.sample_type)
        array = np.asarray(samples)
        if array.dtype != wanted:
            raise InputError(
                f"the samples are {array.dtype}, the features are made of {wanted}",
                hint=_CONVERSION[self.plan.sample_type],
            )
        return np.ascontiguousarray(array).reshape(-1)


def _library(plan: FeaturePlan) -> Path:
    return host_library({**features_files(plan), _MAIN: host_source()}, _MAIN)


_CONVERSION = {
    "int16": "give 16-bit sound; of numbers from -1 to 1: (x * 32767).astype(numpy.int16)",
    "uint8": "give the bytes of the picture: x.astype(numpy.uint8)",
    "float32": "convert them: x.astype(numpy.float32)",
}


def _address(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _declared(library: ctypes.PyDLL) -> ctypes.PyDLL:
    """The library with the types of its functions told."""
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    for name, result, arguments in (
        ("features_start", None, [pointer]),
        ("features_push", size, [pointer, size]),
        ("features_ready", ctypes.c_bool, []),
        ("features_host_state_bytes", size, []),
        ("features_host_save", None, [pointer]),
        ("features_host_load", None, [pointer, pointer]),
        ("features_host_extract", size, [pointer, size, pointer, size]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
