"""The host's side of the link: everything one can ask a device that runs a generated firmware."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.devices.device import ByteStream
from tinyml_tool.devices.link import diagnosis
from tinyml_tool.devices.link.bulk_file import BulkInference, read_bulk_file
from tinyml_tool.devices.link.calibration import Benchmark, benchmark_from
from tinyml_tool.devices.link.chunks import ChunkSize
from tinyml_tool.devices.link.exchange import Exchange, NotDeliveredError, Statistics, Timeouts
from tinyml_tool.devices.link.tensors import DeviceTensor, device_tensor, input_bytes
from tinyml_tool.errors import DeviceError, InputError, LinkError, OutputError
from tinyml_tool.protocol import (
    ABORT,
    ANSWER,
    ANSWER_INFO,
    BENCHMARK,
    BULK,
    CONTINUE,
    FEATURES_INFO,
    FEATURES_START,
    FEED,
    GET_INPUT,
    GET_LAYER,
    GET_OUTPUT,
    INPUT_INFO,
    MODEL_STATE,
    OUTPUT_INFO,
    PROFILE,
    PUSH,
    REPLAY,
    RESET,
    RUN,
    SET_INPUT,
    AnswerInfoReply,
    AnswerReply,
    AnswerRequest,
    BenchmarkRequest,
    BulkReply,
    BulkRequest,
    Capability,
    DataReply,
    Empty,
    FeaturesReply,
    FeedFlag,
    FeedReply,
    FeedRequest,
    GetInputRequest,
    GetLayerRequest,
    GetOutputRequest,
    HelloReply,
    ModelStateReply,
    Paused,
    ProfileRequest,
    PushReply,
    PushRequest,
    ReplayFlag,
    ReplayReply,
    ReplayRequest,
    Request,
    RunFlag,
    RunReply,
    RunRequest,
    SetInputRequest,
    TensorReply,
    TensorRequest,
    encode,
)

Arrays = list[NDArray[Any]]

NO_ANSWERS = RunFlag(0)


@dataclass(frozen=True)
class Inference:
    """One inference on the device, as raw bytes."""

    outputs: tuple[bytes, ...]
    ticks: int
    """By the device's timer; 0 for an observed run."""
    layers: dict[int, bytes] = field(default_factory=dict)
    """By tensor index; only what was asked for."""
    layer_crcs: dict[int, int] = field(default_factory=dict)
    """CRC-32 of every layer's output by tensor index, for an observed run."""


@dataclass(frozen=True)
class LayerTicks:
    """The times of one inference's layers, by the device's timer."""

    empty: int
    """What measuring takes: contained in each of `ticks`."""
    ticks: tuple[int, ...]
    """One for each output of each layer, in the order in which they are made."""


@dataclass(frozen=True)
class BulkResult:
    """Many inferences through the file lane."""

    inferences: tuple[BulkInference, ...]
    ticks: int
    """Of all inferences together; 0 with layers."""


@dataclass(frozen=True)
class Replayed:
    """What the device made of raw samples."""

    windows: tuple[BulkInference, ...]
    ticks: int
    """Of the preprocessing of all samples, without the runs."""


class LinkClient:
    """A conversation with one device.  Close it, or use it in a `with`; not for several threads.

    Every failure is a LinkError.  Nothing is ever returned that a checksum does not confirm, and
    nothing is mixed from before and after a restart of the device.
    """

    def __init__(
        self,
        stream: ByteStream,
        *,
        timeouts: Timeouts | None = None,
        on_text: Callable[[str], None] | None = None,
    ) -> None:
        self._stream = stream
        self._exchange = Exchange(stream, timeouts, on_text)
        self._hello: HelloReply | None = None
        self._chunk = ChunkSize(largest=64)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the device's parser ready for people, and close the stream."""
        with contextlib.suppress(DeviceError, OSError):
            self._exchange.end_partial_frame()
        self._stream.close()

    @property
    def text(self) -> str:
        """The last text the device printed."""
        return self._exchange.text

    def listen(self, on_text: Callable[[str], None] | None) -> None:
        """Give text of the device to `on_text` from now on; None: to nobody."""
        self._exchange.on_text = on_text

    @property
    def statistics(self) -> Statistics:
        """What happened on the line so far."""
        return self._exchange.statistics

    def hello(self) -> HelloReply:
        """Open a new session and learn what the device is, with its state of this moment."""
        hello = self._exchange.open()
        self._hello = hello
        self._chunk = ChunkSize(largest=hello.payload_bytes)
        for known in ("inputs", "outputs"):
            self.__dict__.pop(known, None)
        return hello

    def features(self) -> FeaturesReply | None:
        """The preprocessing inside the firmware; None where it has none."""
        if Capability.FEATURES not in self.capabilities:
            return None
        return self._exchange.call(FEATURES_INFO, Empty())

    def expect_features(self, features_hash: str | None) -> None:
        """Raise LinkError unless the firmware has the preprocessing of this hash; None for none."""
        found = self.features()
        told = found.features_hash.hex() if found is not None else None
        if told != features_hash:
            raise diagnosis.wrong_features(features_hash, told)

    def answers(self) -> AnswerInfoReply | None:
        """What tells the meaning of outputs in the firmware; None where nothing does."""
        if Capability.ANSWER not in self.capabilities:
            return None
        return self._exchange.call(ANSWER_INFO, Empty())

    def expect_answer(self, answer_hash: str | None) -> None:
        """Raise LinkError unless the firmware has the answer spec of this hash; None for none."""
        found = self.answers()
        told = found.answer_hash.hex() if found is not None else None
        if told != answer_hash:
            raise diagnosis.wrong_answer(answer_hash, told)

    def answer(self, *, apart: bool = False) -> AnswerReply:
        """What the outputs of the last run say; `apart`: as if it were the only one."""
        flags = RunFlag.APART if apart else RunFlag(0)
        return self._exchange.call(ANSWER, AnswerRequest(flags))

    def expect_model(self, model_hash: str, build_id: str | None = None) -> None:
        """Raise LinkError unless this model, and this build of it, is on the device.

        `model_hash` is the SHA-256 of the `.tflite` in hexadecimal.
        """
        hello = self._known
        if hello.model_hash.hex() != model_hash:
            raise diagnosis.wrong_model(model_hash, hello.model_hash.hex(), hello.model_name)
        if build_id is not None and hello.build_id != build_id:
            raise diagnosis.wrong_build(build_id, hello.build_id)

    @property
    def greeted(self) -> bool:
        """Whether the device has answered HELLO."""
        return self._hello is not None

    def model_state(self) -> ModelStateReply:
        """What of the arena is in use, and why the model failed if it did.  Opens no session."""
        return self._exchange.call(MODEL_STATE, Empty())

    @property
    def capabilities(self) -> Capability:
        """What the firmware was built with."""
        return Capability(self._known.capabilities)

    @cached_property
    def inputs(self) -> tuple[DeviceTensor, ...]:
        """The model's inputs."""
        return self._describe(INPUT_INFO, self._known.input_count)

    @cached_property
    def outputs(self) -> tuple[DeviceTensor, ...]:
        """The model's outputs."""
        return self._describe(OUTPUT_INFO, self._known.output_count)

    def run(self, inputs: Sequence[NDArray[Any]]) -> Arrays:
        """The outputs of one inference.  Raises InputError where `inputs` do not fit the model."""
        return self._arrays(self.infer(inputs).outputs)

    def run_observed(
        self, inputs: Sequence[NDArray[Any]], wanted: Callable[[Paused], bool] | None = None
    ) -> tuple[Arrays, dict[int, bytes]]:
        """The outputs of one inference, and what each layer wrote by tensor index.

        `wanted` chooses the layers to fetch; default: all.
        """
        inference = self.observe(inputs, wanted)
        return self._arrays(inference.outputs), inference.layers

    def infer(self, inputs: Sequence[NDArray[Any]]) -> Inference:
        """One inference with its time."""
        crc = self._set_inputs(inputs)
        done = self._exchange.call(RUN, RunRequest(flags=0, inputs_crc=crc))
        return Inference(self._get_outputs(done), done.ticks)

    def observe(
        self, inputs: Sequence[NDArray[Any]], wanted: Callable[[Paused], bool] | None = None
    ) -> Inference:
        """One inference that stops after each layer; fetches the layers that are `wanted`."""
        crc = self._set_inputs(inputs)
        layers: dict[int, bytes] = {}
        crcs: dict[int, int] = {}
        request = RunRequest(flags=RunFlag.OBSERVE, inputs_crc=crc)
        answer = self._exchange.call_pausing(RUN, request)
        while isinstance(answer, Paused):
            crcs[answer.tensor] = answer.crc
            if wanted is None or wanted(answer):
                layers[answer.tensor] = self._get_layer(answer)
            answer = self._exchange.call_pausing(CONTINUE, Empty())
        return Inference(self._get_outputs(answer), answer.ticks, layers, crcs)

    def abort(self) -> None:
        """End an observed run that an exception has left paused."""
        if self._hello is not None:
            self._exchange.call(ABORT, Empty())

    def benchmark(self, count: int = 1) -> Benchmark:
        """Measure `count` inferences on zeros; instructions are counted only in an emulator."""
        emulated = Capability.EMULATED in self.capabilities
        timer_hz = self._known.timer_hz
        reply = self._exchange.call(BENCHMARK, BenchmarkRequest(count=count))
        return benchmark_from(reply, timer_hz, emulated=emulated)

    def profile(self, outputs: int) -> LayerTicks:
        """Measure each layer once, on zeros; the model's layers make `outputs` tensors.

        Where they do not fit one answer, several inferences tell them.
        """
        ticks: list[int] = []
        empty = 0
        while len(ticks) < outputs:
            reply = self._exchange.call(PROFILE, ProfileRequest(first=len(ticks)))
            part = np.frombuffer(reply.ticks[: len(reply.ticks) // 4 * 4], "<u4").tolist()
            if not part:
                raise LinkError(f"the device measured {len(ticks)} layer outputs, not {outputs}")
            ticks += part
            empty = reply.empty
        return LayerTicks(empty, tuple(ticks[:outputs]))

    def run_bulk(
        self,
        batch: Sequence[Sequence[NDArray[Any]]],
        directory: Path,
        *,
        seen_as: str | None = None,
        layers: bool = False,
        answers: RunFlag = NO_ANSWERS,
    ) -> BulkResult:
        """Run a batch through the emulator's file lane, with files in `directory`.

        `answers` asks for what the outputs say: ANSWERS, or ANSWERS and APART.
        `seen_as` is that folder as the emulator sees it, such as "" for its working directory.
        Raises InputError, OutputError where the files cannot be written, or LinkError.
        """
        prefix = str(directory) if seen_as is None else seen_as
        content = b"".join(b"".join(input_bytes(self.inputs, inputs)) for inputs in batch)
        request = BulkRequest(
            count=len(batch),
            flags=(RunFlag.OBSERVE if layers else 0) | answers,
            input_path=_join(prefix, "bulk_inputs.bin"),
            output_path=_join(prefix, "bulk_outputs.bin"),
        )
        self._check_length(request)
        with _files(directory):
            (directory / "bulk_inputs.bin").write_bytes(content)
            (directory / "bulk_outputs.bin").unlink(missing_ok=True)
        reply = self._exchange.call(BULK, request)
        with _files(directory):
            written = (directory / "bulk_outputs.bin").read_bytes()
        if reply.count != len(batch):
            raise diagnosis.corrupted("the input file")
        _check_files(reply, content, written)
        try:
            inferences = read_bulk_file(written, len(batch), self._known.output_count)
        except ValueError as error:
            raise diagnosis.wrong_reply(BULK.name, str(error)) from None
        return BulkResult(tuple(inferences), reply.ticks)

    def start_features(self) -> None:
        """Let the device forget all samples that were pushed."""
        if self._hello is None:
            self.hello()
        self._exchange.call(FEATURES_START, Empty())

    def push(self, samples: bytes) -> PushReply:
        """Feed raw samples; the device takes fewer where they complete the model's input."""
        largest = self._payload - self._payload % 8  # whole samples of any type
        return self._exchange.call(PUSH, PushRequest(samples[:largest]))

    def feed(self, samples: bytes, *, anew: bool = False) -> FeedReply:
        """Feed raw samples to the application; it takes fewer, or none while it has some."""
        largest = self._payload - self._payload % 8 - 8  # whole samples of any type, and the flags
        flags = FeedFlag.ANEW if anew else FeedFlag(0)
        return self._exchange.call(FEED, FeedRequest(flags, samples[:largest]))

    def read_input(self, index: int = 0) -> bytes:
        """An input that was set, or made of samples, since the last run."""
        return self._fetch(GET_INPUT, self.inputs[index].size, partial(GetInputRequest, index))

    def run_pushed(self, ready: PushReply) -> Inference:
        """One inference on the input that `push` has completed."""
        done = self._exchange.call(RUN, RunRequest(flags=0, inputs_crc=ready.inputs_crc))
        return Inference(self._get_outputs(done), done.ticks)

    def replay(self, samples: bytes, directory: Path, flags: ReplayFlag) -> Replayed:
        """Feed all samples at once through the emulator's file lane, with files in `directory`.

        Raises OutputError where the files cannot be written, or LinkError.
        """
        request = ReplayRequest(
            flags=flags,
            input_path=str(directory / "replay_samples.bin"),
            output_path=str(directory / "replay_results.bin"),
        )
        self._check_length(request)
        with _files(directory):
            (directory / "replay_samples.bin").write_bytes(samples)
            (directory / "replay_results.bin").unlink(missing_ok=True)
        reply = self._exchange.call(REPLAY, request)
        with _files(directory):
            written = (directory / "replay_results.bin").read_bytes()
        _check_files(reply, samples, written)
        outputs = self._known.output_count if ReplayFlag.OUTPUTS in flags else 0
        try:
            windows = read_bulk_file(written, reply.count, outputs)
        except ValueError as error:
            raise diagnosis.wrong_reply(REPLAY.name, str(error)) from None
        return Replayed(tuple(windows), reply.ticks)

    def restart(self) -> HelloReply:
        """Restart the device and open a new session with it."""
        if self._hello is None:
            self.hello()
        with contextlib.suppress(diagnosis.RestartedError):
            self._exchange.call(RESET, Empty())
        return self.hello()

    @property
    def _known(self) -> HelloReply:
        return self._hello or self.hello()

    def _describe(
        self, request: Request[TensorRequest, TensorReply], count: int
    ) -> tuple[DeviceTensor, ...]:
        replies = [self._exchange.call(request, TensorRequest(index)) for index in range(count)]
        try:
            return tuple(device_tensor(reply) for reply in replies)
        except ValueError as error:
            raise diagnosis.wrong_reply(request.name, str(error)) from None

    def _arrays(self, outputs: Sequence[bytes]) -> Arrays:
        return [tensor.array(data) for tensor, data in zip(self.outputs, outputs, strict=True)]

    def _set_inputs(self, inputs: Sequence[NDArray[Any]]) -> int:
        """Send the inputs; their CRC-32."""
        tensors = input_bytes(self.inputs, inputs)
        for index, data in enumerate(tensors):
            self._set_input(index, data)
        return zlib.crc32(b"".join(tensors))

    def _set_input(self, index: int, data: bytes) -> None:
        overhead = len(encode(SetInputRequest(index, 0, b"")))
        position = 0
        while position < len(data):
            piece = data[position : position + min(self._chunk.bytes, self._payload - overhead)]
            request = SetInputRequest(index, position, piece)
            try:
                self._exchange.call(SET_INPUT, request, tries=self._chunk.tries)
            except NotDeliveredError:
                self._chunk.failed()
                continue
            self._chunk.succeeded()
            position += len(piece)

    @property
    def _payload(self) -> int:
        return self._known.payload_bytes

    def _get_outputs(self, done: RunReply) -> tuple[bytes, ...]:
        outputs = [
            self._fetch(GET_OUTPUT, tensor.size, partial(GetOutputRequest, index))
            for index, tensor in enumerate(self.outputs)
        ]
        if zlib.crc32(b"".join(outputs)) != done.outputs_crc:
            raise diagnosis.corrupted("the output")
        return tuple(outputs)

    def _get_layer(self, paused: Paused) -> bytes:
        data = self._fetch(GET_LAYER, paused.bytes, GetLayerRequest)
        if zlib.crc32(data) != paused.crc:
            raise diagnosis.corrupted(f"the output of layer {paused.layer} {paused.kind}")
        return data

    def _fetch(
        self,
        request: Request[Any, DataReply],
        length: int,
        piece: Callable[[int, int], Any],
    ) -> bytes:
        """`length` bytes in pieces; `piece(offset, size)` is the request for one."""
        data = bytearray()
        while len(data) < length:
            size = min(self._chunk.bytes, length - len(data))
            try:
                reply = self._exchange.call(
                    request, piece(len(data), size), tries=self._chunk.tries
                )
            except NotDeliveredError:
                self._chunk.failed()
                continue
            if len(reply.data) != size:
                raise diagnosis.wrong_reply(request.name, f"{len(reply.data)} of {size} bytes")
            self._chunk.succeeded()
            data += reply.data
        return bytes(data)

    def _check_length(self, request: BulkRequest | ReplayRequest) -> None:
        length = len(encode(request))
        if length > self._payload:
            raise InputError(
                f"the paths of the file lane take {length} bytes, the device has room for "
                f"{self._payload}",
                hint="use a folder with a shorter path",
            )


def _check_files(reply: BulkReply | ReplayReply, sent: bytes, received: bytes) -> None:
    """Raise LinkError unless the device has read and written just these bytes."""
    if reply.read_crc != zlib.crc32(sent):
        raise diagnosis.corrupted("the input file")
    if reply.written_bytes != len(received) or reply.written_crc != zlib.crc32(received):
        raise diagnosis.corrupted("the output file")


def _join(prefix: str, name: str) -> str:
    return f"{prefix.rstrip('/')}/{name}" if prefix else name


@contextlib.contextmanager
def _files(directory: Path) -> Iterator[None]:
    """Turn trouble with files into an error with the folder's name."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{directory}: {error.strerror}", hint="choose a folder that is writable and has room"
        ) from None
