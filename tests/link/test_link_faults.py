"""On a bad line the link answers right or says that it cannot; never wrong."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from faulty_stream import FaultyStream
from link_device import EMULATED, SMALL_BOARD, DeviceStream, StartDevice, Variant
from link_fake_model import expected_layers, expected_outputs, random_inputs

from tinyml_tool.devices.link.client import LinkClient
from tinyml_tool.devices.link.diagnosis import RefusedError, RestartedError
from tinyml_tool.devices.link.exchange import Exchange, Timeouts
from tinyml_tool.errors import LinkError
from tinyml_tool.protocol import ABORT, Empty, Status

IMPATIENT = Timeouts(
    connect=2, answer=0.03, answer_longest=0.1, give_up=2, work=2, probe=0.1, tries=300
)


@dataclass
class Outcome:
    right: int = 0
    wrong: int = 0
    failed: int = 0
    restarts_noticed: int = 0


def infer_many(stream: FaultyStream, count: int, *, observed: bool) -> tuple[Outcome, LinkClient]:
    """Inferences as a user would do them: after a failure, connect again and go on."""
    client = LinkClient(stream, timeouts=IMPATIENT)
    outcome = Outcome()
    connected = False
    for seed in range(count):
        inputs = random_inputs(seed)
        layers = expected_layers(inputs) if observed else {}
        try:
            if not connected:
                client.hello()
                connected = True
            if observed:
                outputs, seen = client.run_observed(inputs)
            else:
                outputs, seen = client.run(inputs), {}
        except LinkError as error:
            outcome.failed += 1
            outcome.restarts_noticed += isinstance(error, RestartedError)
            connected = False
            continue
        good = seen == layers and all(
            np.array_equal(output, expected)
            for output, expected in zip(outputs, expected_outputs(inputs), strict=True)
        )
        outcome.right += good
        outcome.wrong += not good
    return outcome, client


@pytest.mark.parametrize("variant", [EMULATED, SMALL_BOARD], ids=lambda variant: variant.name)
@pytest.mark.parametrize(("rate", "count"), [(0.0001, 40), (0.001, 20), (0.005, 4), (0.01, 2)])
def test_a_bad_line_costs_time_but_no_result(
    start_device: StartDevice, variant: Variant, rate: float, count: int
) -> None:
    stream = FaultyStream(start_device(variant), rate, seed=7)
    outcome, client = infer_many(stream, count, observed=variant is EMULATED)
    print(f"{variant.name} {rate:.2%}: {outcome} {stream.faults} {client.statistics}")
    assert outcome == Outcome(right=count)
    assert client.statistics.sent_again > 0


@pytest.mark.parametrize("seed", range(2))
def test_a_hopeless_line_fails_and_says_so(start_device: StartDevice, seed: int) -> None:
    stream = FaultyStream(start_device(SMALL_BOARD), 0.05, seed)
    client = LinkClient(stream, timeouts=IMPATIENT)
    try:
        outputs = client.run(random_inputs(seed))
    except LinkError as error:
        assert error.hint
    else:
        np.testing.assert_array_equal(outputs[1], expected_outputs(random_inputs(seed))[1])


@pytest.mark.parametrize("seed", range(4))
def test_no_result_mixes_what_was_before_and_after_a_reset(
    start_device: StartDevice, seed: int
) -> None:
    stream = FaultyStream(start_device(EMULATED), 0.0001, seed, reset_rate=0.0003)
    outcome, _ = infer_many(stream, 30, observed=True)
    print(f"{outcome} {stream.faults}")
    assert outcome.wrong == 0
    assert outcome.right > 0
    assert outcome.restarts_noticed > 0


@pytest.mark.parametrize("request_number", range(1, 9))
def test_a_reset_before_any_request_is_noticed(
    start_device: StartDevice, request_number: int
) -> None:
    """Eight requests: four pieces of inputs, RUN, three pieces of outputs."""
    device = start_device(SMALL_BOARD)
    client = LinkClient(device, timeouts=IMPATIENT)
    assert client.inputs
    assert client.outputs
    write, numbers = device.write, itertools.count(1)

    def write_and_reset(data: bytes) -> None:
        if next(numbers) == request_number:
            device.restart()
        write(data)

    device.write = write_and_reset  # type: ignore[method-assign]
    with pytest.raises(RestartedError):
        client.run(random_inputs(request_number))


@dataclass
class RepeatingStream:
    """Passes every frame of the host `times` times, or every second one not at all."""

    device: DeviceStream
    times: int
    writes: int = 0

    def write(self, data: bytes) -> None:
        self.writes += 1
        if self.times or self.writes % 2:
            self.device.write(data * (self.times or 1))

    def read(self, max_bytes: int, timeout: float) -> bytes:
        return self.device.read(max_bytes, timeout)

    def close(self) -> None:
        self.device.close()


@pytest.mark.parametrize("times", [0, 2, 3])
def test_requests_that_arrive_twice_or_late_are_obeyed_once(
    start_device: StartDevice, times: int
) -> None:
    stream = RepeatingStream(start_device(EMULATED), times)
    client = LinkClient(stream, timeouts=IMPATIENT)
    for seed in range(3):
        inputs = random_inputs(seed)
        assert client.run_observed(inputs)[1] == expected_layers(inputs)


def test_an_older_request_is_refused(start_device: StartDevice) -> None:
    device = start_device(EMULATED)
    exchange = Exchange(device, IMPATIENT)
    exchange.open()
    exchange._sequence -= 2
    with pytest.raises(RefusedError) as caught:
        exchange.call(ABORT, Empty())
    assert caught.value.status == Status.OLD_SEQUENCE
