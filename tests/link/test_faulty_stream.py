"""The bad cable of the tests does what it says: each kind of fault, in both directions."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest
from faulty_stream import KINDS, FaultyStream

ALL_BYTES = bytes(range(1, 256)) * 200


@dataclass
class Echo:
    """A device that answers what it is told."""

    received: bytearray = field(default_factory=bytearray)
    answers: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes) -> None:
        self.received += data

    def read(self, max_bytes: int, timeout: float) -> bytes:
        if not self.answers:
            time.sleep(timeout)
        data = bytes(self.answers[:max_bytes])
        del self.answers[:max_bytes]
        return data

    def close(self) -> None:
        """Nothing to do."""


def read_all(stream: FaultyStream, seconds: float) -> bytes:
    until, data = time.monotonic() + seconds, bytearray()
    while time.monotonic() < until:
        data += stream.read(4096, 0.01)
    return bytes(data)


def test_a_good_line_changes_nothing() -> None:
    device = Echo(answers=bytearray(ALL_BYTES))
    stream = FaultyStream(device, 0.0, seed=1)
    stream.write(ALL_BYTES)
    assert bytes(device.received) == ALL_BYTES
    assert read_all(stream, 0.2) == ALL_BYTES
    assert stream.faults == {}


@pytest.mark.parametrize("to_device", [True, False], ids=["to the device", "to the host"])
def test_the_share_of_bytes_with_a_fault_is_the_rate(to_device: bool) -> None:
    """51,000 bytes at 2 %: 1,020 faults, about 204 of each kind; the deviations are 32 and 14."""
    device = Echo()
    stream = FaultyStream(device, 0.02, seed=3)
    if to_device:
        stream.write(ALL_BYTES)
    else:
        device.answers += ALL_BYTES
        stream.read(len(ALL_BYTES), 0.0)
    assert abs(sum(stream.faults.values()) - 1020) < 160
    assert set(stream.faults) == set(KINDS)
    assert all(abs(count - 204) < 70 for count in stream.faults.values())


def test_lost_doubled_and_zeroed_bytes_are_counted_right() -> None:
    device = Echo()
    stream = FaultyStream(device, 0.001, seed=4)
    stream.write(ALL_BYTES)
    read_all(stream, 0.5)
    assert stream.faults["delayed"] > 0
    lost, doubled = stream.faults["lost"], stream.faults["doubled"]
    assert len(device.received) == len(ALL_BYTES) - lost + doubled
    assert 0 < device.received.count(0) <= stream.faults["zeroed"] + stream.faults["changed"]


def test_a_delayed_byte_holds_up_what_is_behind_it() -> None:
    device = Echo()
    stream = FaultyStream(device, 0.001, seed=5)
    stream.write(ALL_BYTES)
    at_once = len(device.received)
    read_all(stream, 0.5)
    assert at_once < len(ALL_BYTES) / 2
    assert len(device.received) > len(ALL_BYTES) - 100


def test_the_same_seed_makes_the_same_faults() -> None:
    streams = [FaultyStream(Echo(), 0.01, seed) for seed in (6, 6, 7)]
    for stream in streams:
        stream.write(ALL_BYTES)
    assert streams[0].faults == streams[1].faults != streams[2].faults
