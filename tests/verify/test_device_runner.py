from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from model_builder import ModelBuilder

from tinyml_tool.devices.link.bulk_file import BulkInference
from tinyml_tool.devices.link.client import BulkResult, Inference, LinkClient
from tinyml_tool.errors import DeviceError, LinkError, OutputError
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.protocol import Capability, HelloReply, ModelStateReply, Paused
from tinyml_tool.reference.tflm import TflmReference
from tinyml_tool.verify import runner as runner_module
from tinyml_tool.verify.inputs import vectors
from tinyml_tool.verify.parity import compare
from tinyml_tool.verify.runner import DeviceRunner


def two_layer_model() -> bytes:
    builder = ModelBuilder()
    same = {"scale": 1.0, "zero_point": 0}
    a, b = builder.input("int8", (1, 3), **same), builder.input("int8", (1, 3), **same)
    total = builder.operator("ADD", [a, b], builder.tensor("int8", (1, 3), **same))
    y = builder.operator("RELU", [total], builder.tensor("int8", (1, 3), **same))
    return builder.build([y])


MODEL = two_layer_model()
GRAPH = parse_model(MODEL, "two")
INPUTS = [np.array([[1, 2, 3]], np.int8), np.array([[1, -9, 3]], np.int8)]
WIRE, FILES = Capability.OBSERVER, Capability.OBSERVER | Capability.FILES

HELLO = HelloReply(
    model_hash=bytes.fromhex(GRAPH.model_hash),
    payload_bytes=1024,
    receive_capacity=64,
    receive_overruns=0,
    capabilities=int(FILES),
    reset_reason=1,
    model_status=0,
    timer_hz=25_000_000,
    stack_high_water=100,
    stack_bytes=4096,
    arena_bytes=16,
    input_count=2,
    output_count=1,
    layer_count=2,
    model_name="two",
    build_id="abc",
    board="qemu-m4",
    engine="aot",
    tool_version="0.1.0",
)


class FakeClient:
    """What the reference computes, handed out as a device would: as bytes."""

    def __init__(self, capabilities: Capability = FILES, hello: HelloReply = HELLO) -> None:
        self.capabilities = capabilities
        self.reply = hello
        self.reference = TflmReference(MODEL, "two")
        self.calls: list[str] = []
        self.expected: tuple[str, str | None] | None = None
        self.folder: Path | None = None
        self.batches: list[int] = []
        self.fetched: set[int] = set()
        self.spoil_layers: dict[int, bytes] = {}
        self.spoil_outputs: list[bytes] | None = None

    def hello(self) -> HelloReply:
        self.calls.append("hello")
        return self.reply

    def model_state(self) -> ModelStateReply:
        return ModelStateReply(self.reply.model_status, 16, 16, b"")

    def expect_model(self, model_hash: str, build_id: str | None = None) -> None:
        self.calls.append("expect_model")
        self.expected = (model_hash, build_id)

    def infer(self, inputs: Sequence[Any]) -> Inference:
        self.calls.append("infer")
        return Inference(tuple(self._outputs(inputs)), 7)

    def observe(
        self, inputs: Sequence[Any], wanted: Callable[[Paused], bool] = lambda _: True
    ) -> Inference:
        self.calls.append("observe")
        layers = self._layers(inputs)
        crcs = {index: zlib.crc32(data) for index, data in layers.items()}
        fetched = {
            index: data
            for index, data in layers.items()
            if wanted(Paused(0, 0, index, len(data), crcs[index], "ADD"))
        }
        self.fetched = set(fetched)
        return Inference(tuple(self._outputs(inputs)), 0, fetched, crcs)

    def run_bulk(
        self, batch: Sequence[Sequence[Any]], directory: Path, *, layers: bool = False
    ) -> BulkResult:
        self.calls.append("bulk_layers" if layers else "bulk")
        self.folder = directory
        assert directory.is_dir()
        (directory / "left_over.bin").write_bytes(b"1")
        self.batches.append(len(batch))
        return BulkResult(
            tuple(
                BulkInference(self._outputs(inputs), self._layers(inputs) if layers else {})
                for inputs in batch
            ),
            0,
        )

    def _outputs(self, inputs: Sequence[Any]) -> list[bytes]:
        if self.spoil_outputs is not None:
            return self.spoil_outputs
        return [array.tobytes() for array in self.reference.run(inputs)]

    def _layers(self, inputs: Sequence[Any]) -> dict[int, bytes]:
        layers = self.reference.run_layers(inputs)
        return {index: array.tobytes() for index, array in layers.items()} | self.spoil_layers


def runner_on(client: FakeClient, build_id: str | None = None) -> DeviceRunner:
    return DeviceRunner(cast(LinkClient, client), GRAPH, build_id)


LANES = pytest.mark.parametrize("lane", [WIRE, FILES], ids=["wire", "files"])


@LANES
def test_outputs_come_back_as_arrays(lane: Capability) -> None:
    with runner_on(FakeClient(lane)) as runner:
        (output,) = runner.run(INPUTS)
    assert (output.dtype, output.tolist()) == (np.int8, [[2, 0, 6]])


@LANES
def test_layers_come_back_as_arrays_by_tensor(lane: Capability) -> None:
    with runner_on(FakeClient(lane)) as runner:
        layers = runner.run_layers(INPUTS)
    assert {k: v.tolist() for k, v in layers.items()} == {2: [[2, -7, 6]], 3: [[2, 0, 6]]}


@LANES
def test_a_device_that_computes_the_same_is_exact(lane: Capability) -> None:
    with runner_on(FakeClient(lane)) as runner:
        parity = compare(GRAPH, runner, TflmReference(MODEL, "two"), vectors(GRAPH, 10, 0))
    assert (parity.exact, parity.layers, parity.values_compared) == (True, 2, 90)


def test_layers_with_the_right_checksum_stay_on_the_device() -> None:
    client = FakeClient(WIRE)
    with runner_on(client) as runner:
        reference, values = TflmReference(MODEL, "two"), vectors(GRAPH, 10, 0)
        parity = compare(GRAPH, runner, reference, values, checksums=True)
    assert (parity.exact, parity.layers, parity.values_compared) == (True, 2, 90)
    assert (parity.values_by_checksum, client.fetched) == (60, set())


def test_a_layer_with_another_checksum_is_fetched_and_compared_value_by_value() -> None:
    client = FakeClient(WIRE)
    client.spoil_layers = {2: np.array([[2, -7, 7]], np.int8).tobytes()}
    with runner_on(client) as runner:
        parity = compare(GRAPH, runner, TflmReference(MODEL, "two"), [INPUTS], checksums=True)
    assert client.fetched == {2}
    assert (parity.values_different, parity.values_by_checksum) == (1, 3)
    assert parity.first_difference is not None
    assert (parity.first_difference.place.tensor, parity.first_difference.index) == (2, 2)


def test_a_layer_of_another_length_is_no_match_whatever_its_checksum() -> None:
    client = FakeClient(WIRE)
    client.spoil_layers = {2: b"\0\0"}
    with (
        runner_on(client) as runner,
        pytest.raises(LinkError, match="sent 2 bytes"),
    ):
        compare(GRAPH, runner, TflmReference(MODEL, "two"), [INPUTS], checksums=True)


def test_through_files_checksums_spare_nothing() -> None:
    client = FakeClient(FILES)
    with runner_on(client) as runner:
        parity = compare(GRAPH, runner, TflmReference(MODEL, "two"), [INPUTS], checksums=True)
    assert (parity.exact, parity.values_by_checksum) == (True, 0)


def test_files_are_used_where_the_device_reaches_them() -> None:
    client = FakeClient(FILES)
    with runner_on(client) as runner:
        runner.run(INPUTS)
        runner.run_layers(INPUTS)
    assert client.calls[2:] == ["bulk", "bulk_layers"]


def test_the_wire_is_used_where_the_device_reaches_no_files() -> None:
    client = FakeClient(WIRE)
    with runner_on(client) as runner:
        runner.run(INPUTS)
        runner.run_layers(INPUTS)
    assert client.calls[2:] == ["infer", "observe"]


def test_the_folder_of_files_is_gone_afterwards() -> None:
    client = FakeClient(FILES)
    with runner_on(client) as runner:
        runner.run(INPUTS)
    assert client.folder is not None
    assert not client.folder.exists()


def test_the_folder_of_files_is_gone_after_a_failure() -> None:
    client = FakeClient(FILES)
    with pytest.raises(RuntimeError), runner_on(client) as runner:
        runner.run(INPUTS)
        raise RuntimeError
    assert client.folder is not None
    assert not client.folder.exists()


def test_the_model_and_build_are_checked_before_anything_runs() -> None:
    client = FakeClient()
    with runner_on(client, "abc"):
        pass
    assert client.calls == ["hello", "expect_model"]
    assert client.expected == (GRAPH.model_hash, "abc")


def test_a_batch_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "_BATCH", 3)
    client = FakeClient(FILES)
    batch = [[np.full((1, 3), i, np.int8), np.zeros((1, 3), np.int8)] for i in range(8)]
    with runner_on(client) as runner:
        found = [outputs[0][0, 0] for outputs in runner.run_many(batch)]
    assert found == list(range(8))
    assert client.batches == [3, 3, 2]


def test_layers_of_many_inferences_are_asked_for_in_parts_that_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runner_module, "_LAYER_BATCH_BYTES", 13)  # one inference has 6 bytes
    client = FakeClient(FILES)
    with runner_on(client) as runner:
        runner.run_layers_many([INPUTS] * 5)
    assert client.batches == [2, 2, 1]


def test_a_model_that_does_not_start_is_an_error() -> None:
    with pytest.raises(DeviceError, match=r"model_init\(\) returned -3"):
        runner_on(FakeClient(hello=replace(HELLO, model_status=-3)))


@pytest.mark.parametrize("name", ["input_count", "output_count", "layer_count"])
def test_a_device_whose_model_has_another_form_is_an_error(name: str) -> None:
    hello = replace(HELLO, **{name: 9})
    with pytest.raises(LinkError, match=r"the device has .*9.*, the model 2, 1 and 2"):
        runner_on(FakeClient(hello=hello))


@LANES
def test_a_tensor_the_model_does_not_have_is_an_error(lane: Capability) -> None:
    client = FakeClient(lane)
    client.spoil_layers = {99: b"123"}
    with runner_on(client) as runner, pytest.raises(LinkError, match="sent tensor 99"):
        runner.run_layers(INPUTS)


@LANES
def test_a_layer_of_wrong_length_is_an_error(lane: Capability) -> None:
    client = FakeClient(lane)
    client.spoil_layers = {2: b"12"}
    with runner_on(client) as runner, pytest.raises(LinkError, match="sent 2 bytes of %2 int8"):
        runner.run_layers(INPUTS)


@LANES
@pytest.mark.parametrize("outputs", [[], [b"123", b"123"], [b"12"]])
def test_outputs_of_wrong_number_or_length_are_an_error(
    lane: Capability, outputs: list[bytes]
) -> None:
    client = FakeClient(lane)
    client.spoil_outputs = outputs
    with runner_on(client) as runner, pytest.raises(LinkError, match="the device sent"):
        runner.run(INPUTS)


def test_no_room_for_files_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(**_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner_module.tempfile, "TemporaryDirectory", no_room)
    with pytest.raises(OutputError, match="No space left on device") as caught:
        runner_on(FakeClient(FILES))
    assert caught.value.hint is not None
    assert "TMPDIR" in caught.value.hint
