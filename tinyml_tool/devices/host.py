"""A generated model running as a program on this computer."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import DeviceError
from tinyml_tool.graph.types import Graph

Arrays = list[NDArray[Any]]


@dataclass(frozen=True)
class HostModel:
    """A program built by `toolchain.host.build_host_program` for `graph`."""

    program: Path
    graph: Graph
    time_limit: float = 120.0

    def run(self, inputs: Sequence[NDArray[Any]]) -> Arrays:
        """Outputs of one inference."""
        return self.run_batch([inputs])[0][0]

    def run_layers(self, inputs: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
        """Every layer's outputs of one inference, by tensor index."""
        return self.run_batch([inputs])[0][1]

    def run_batch(
        self, batch: Sequence[Sequence[NDArray[Any]]]
    ) -> list[tuple[Arrays, dict[int, NDArray[Any]]]]:
        """(outputs, layers) of each inference.  Raises DeviceError where the program fails."""
        stream = b"".join(array.tobytes() for inputs in batch for array in inputs)
        try:
            result = subprocess.run(
                [self.program],
                input=stream,
                capture_output=True,
                timeout=self.time_limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise DeviceError(f"the host program ran over {self.time_limit:g} s") from None
        if result.returncode != 0:
            raise DeviceError(
                f"the host program ended with status {result.returncode}",
                details=result.stderr.decode(errors="replace").splitlines()[:30],
            )
        return self._parse(result.stdout, len(batch))

    def _parse(self, stream: bytes, count: int) -> list[tuple[Arrays, dict[int, NDArray[Any]]]]:
        results: list[tuple[Arrays, dict[int, NDArray[Any]]]] = []
        position = 0
        for _ in range(count):
            outputs: Arrays = []
            layers: dict[int, NDArray[Any]] = {}
            while len(outputs) < len(self.graph.outputs):
                key, size = struct.unpack_from("<iI", stream, position)
                tensor = self.graph.tensors[key if key >= 0 else self.graph.outputs[-1 - key]]
                start = position + 8
                data = np.frombuffer(stream, tensor.dtype.numpy, tensor.elements, start)
                position = start + size
                if key >= 0:
                    layers[key] = data.reshape(tensor.shape)
                else:
                    outputs.append(data.reshape(tensor.shape))
            results.append((outputs, layers))
        return results
