"""Runs a model on a device over the link, by the fastest lane the device has."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.errors import LinkError, OutputError
from tinyml_tool.graph.types import Graph, Tensor
from tinyml_tool.protocol import AnswerReply, Capability, HelloReply, Paused, RunFlag
from tinyml_tool.verify.readiness import not_ready

_LAYER_BATCH_BYTES = 64 << 20
"""Most bytes of layer outputs asked for in one request of the file lane."""
_BATCH = 1024
"""Most inferences asked for in one request of the file lane."""

Arrays = list[NDArray[Any]]


class DeviceRunner:
    """A device that runs `graph`; implements `Runner` and `BatchRunner`.

    Inputs and results go through files where the firmware can reach the host's (an emulator),
    else over the wire.  Use it in a `with`, which removes its folder of files; the client stays
    open.
    """

    def __init__(
        self,
        client: LinkClient,
        graph: Graph,
        build_id: str | None = None,
        *,
        use_files: bool = True,
    ) -> None:
        """Make sure that this very model, and this build of it, is on the device and ready.

        Without `use_files` everything goes over the wire, whatever the device can do.  Raises
        LinkError for another model or build, DeviceError where its model does not start.
        """
        self._client = client
        self._graph = graph
        self._resources = ExitStack()
        self.hello = client.hello()
        client.expect_model(graph.model_hash, build_id)
        if self.hello.model_status != 0:
            raise not_ready(client.model_state(), self.hello)
        _check_shape(self.hello, graph)
        shares_files = use_files and Capability.FILES in client.capabilities
        self._folder = self._shared_folder() if shares_files else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._resources.close()

    @property
    def batch_size(self) -> int:
        """Inferences at once: many through files, one over the wire, where each takes its time."""
        return 1 if self._folder is None else 16

    def run(self, inputs: Sequence[NDArray[Any]]) -> Arrays:
        """One inference without observer: the model's outputs."""
        return self.run_many([inputs])[0]

    def run_layers(self, inputs: Sequence[NDArray[Any]]) -> dict[int, NDArray[Any]]:
        """One observed inference: every layer's outputs by tensor index."""
        return self.run_layers_many([inputs])[0]

    def run_many(self, batch: Sequence[Sequence[NDArray[Any]]]) -> list[Arrays]:
        """Many inferences without observer: the model's outputs of each."""
        if self._folder is None:
            return [self._outputs(self._client.infer(inputs).outputs) for inputs in batch]
        results: list[Arrays] = []
        for part in _parts(batch, _BATCH):
            bulk = self._client.run_bulk(part, self._folder)
            results += [self._outputs(inference.outputs) for inference in bulk.inferences]
        return results

    def run_answers(
        self, batch: Sequence[Sequence[NDArray[Any]]], *, apart: bool
    ) -> list[tuple[Arrays, AnswerReply]]:
        """The model's outputs of many inferences, and what the device says of each.

        `apart`: each as if it were the only one, else one after the other from anew.
        """
        if self._folder is None:
            return self._answers_by_wire(batch, apart)
        flags = RunFlag.ANSWERS | (RunFlag.APART if apart else RunFlag(0))
        results: list[tuple[Arrays, AnswerReply]] = []
        for part in _parts(batch, _BATCH if apart else max(1, len(batch))):
            bulk = self._client.run_bulk(part, self._folder, answers=flags)
            for inference in bulk.inferences:
                if inference.answer is None:
                    raise LinkError("the device left an answer out of its file")
                results.append((self._outputs(inference.outputs), inference.answer))
        return results

    def _answers_by_wire(
        self, batch: Sequence[Sequence[NDArray[Any]]], apart: bool
    ) -> list[tuple[Arrays, AnswerReply]]:
        results: list[tuple[Arrays, AnswerReply]] = []
        for number, inputs in enumerate(batch):
            outputs = self._outputs(self._client.infer(inputs).outputs)
            results.append((outputs, self._client.answer(apart=apart or number == 0)))
        return results

    def run_layers_many(
        self, batch: Sequence[Sequence[NDArray[Any]]]
    ) -> list[dict[int, NDArray[Any]]]:
        """Many observed inferences: every layer's outputs by tensor index of each."""
        if self._folder is None:
            return [self._layers(self._client.observe(inputs).layers) for inputs in batch]
        results: list[dict[int, NDArray[Any]]] = []
        for part in _parts(batch, max(1, _LAYER_BATCH_BYTES // self._layer_bytes())):
            bulk = self._client.run_bulk(part, self._folder, layers=True)
            results += [self._layers(inference.layers) for inference in bulk.inferences]
        return results

    def run_layers_unlike(
        self, inputs: Sequence[NDArray[Any]], expected: Mapping[int, NDArray[Any]]
    ) -> Mapping[int, NDArray[Any] | None]:
        """As `run_layers`, but None for a tensor with the length and CRC-32 of the expected.

        Those stay on the device.  Through files all are fetched: it takes no longer.
        """
        if self._folder is not None:
            return self.run_layers(inputs)
        known = {index: _length_and_crc(values) for index, values in expected.items()}

        def differs(paused: Paused) -> bool:
            return known.get(paused.tensor) != (paused.bytes, paused.crc)

        inference = self._client.observe(inputs, differs)
        spared: dict[int, NDArray[Any] | None] = dict.fromkeys(inference.layer_crcs)
        return spared | self._layers(inference.layers)

    def _shared_folder(self) -> Path:
        try:
            folder = tempfile.TemporaryDirectory(prefix="tinyml-", ignore_cleanup_errors=True)
        except OSError as error:
            raise OutputError(
                f"no folder for the files of the device can be made: {error.strerror}",
                hint="make room there, or set TMPDIR to a folder that is writable",
            ) from None
        return Path(self._resources.enter_context(folder))

    def _layer_bytes(self) -> int:
        graph = self._graph
        outputs = (index for op in graph.operators for index in graph.written(op) if index >= 0)
        return sum(graph.tensor(index).bytes for index in outputs) or 1

    def _outputs(self, values: Sequence[bytes]) -> Arrays:
        if len(values) != len(self._graph.outputs):
            raise LinkError(
                f"the device sent {len(values)} outputs, not {len(self._graph.outputs)}"
            )
        return [
            _array(data, self._graph.tensor(index))
            for data, index in zip(values, self._graph.outputs, strict=True)
        ]

    def _layers(self, values: Mapping[int, bytes]) -> dict[int, NDArray[Any]]:
        known = range(len(self._graph.tensors))
        unknown = [index for index in values if index not in known]
        if unknown:
            raise LinkError(f"the device sent tensor {unknown[0]}, which the model does not have")
        return {index: _array(data, self._graph.tensor(index)) for index, data in values.items()}


def _check_shape(hello: HelloReply, graph: Graph) -> None:
    found = (hello.input_count, hello.output_count, hello.layer_count)
    expected = (len(graph.inputs), len(graph.outputs), len(graph.operators))
    if found != expected:
        raise LinkError(
            "the device has {} inputs, {} outputs and {} layers".format(*found)
            + ", the model {}, {} and {}".format(*expected),
            hint="generate, build and flash the firmware again with this tool",
        )


def _length_and_crc(values: NDArray[Any]) -> tuple[int, int]:
    """Of the bytes that a device holds."""
    data = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    return len(data), zlib.crc32(data)


def _array(data: bytes, tensor: Tensor) -> NDArray[Any]:
    if len(data) != tensor.bytes:
        raise LinkError(f"the device sent {len(data)} bytes of {tensor}, not {tensor.bytes}")
    little_endian = tensor.dtype.numpy.newbyteorder("<")
    return np.frombuffer(data, little_endian).astype(tensor.dtype.numpy).reshape(tensor.shape)


def _parts(
    batch: Sequence[Sequence[NDArray[Any]]], size: int
) -> Iterator[Sequence[Sequence[NDArray[Any]]]]:
    for start in range(0, len(batch), size):
        yield batch[start : start + size]
