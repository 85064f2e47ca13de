"""A bad cable: loses, doubles, changes, zeroes and delays bytes, and presses the reset button."""

from __future__ import annotations

import random
import time
from collections import deque
from dataclasses import dataclass, field

from link_device import DeviceStream

from tinyml_tool.devices.device import ByteStream

KINDS = ("lost", "doubled", "changed", "zeroed", "delayed")

DELAYS = (0.001, 0.005, 0.05, 0.2)
"""Seconds: within and beyond the time after which the host asks again."""


class _Line:
    """One direction: what was put in comes out in order, some of it late."""

    def __init__(self) -> None:
        self._travelling: deque[tuple[float, bytes]] = deque()

    def put(self, data: bytes, delay: float) -> None:
        due = time.monotonic() + delay
        if self._travelling:
            due = max(due, self._travelling[-1][0])
        self._travelling.append((due, data))

    def take(self) -> bytes:
        arrived = bytearray()
        while self._travelling and self._travelling[0][0] <= time.monotonic():
            arrived += self._travelling.popleft()[1]
        return bytes(arrived)

    def seconds_left(self, at_most: float) -> float:
        """Until the next byte arrives."""
        if not self._travelling:
            return at_most
        return max(0.0, min(at_most, self._travelling[0][0] - time.monotonic()))


@dataclass
class FaultyStream:
    """A ByteStream around a device whose bytes meet faults in both directions.

    `rate` is the probability of a fault for each byte, all kinds alike.  A delayed byte holds up
    those behind it.  `reset_rate` is the probability of a reset before each byte to the device,
    for devices that can be reset.
    """

    device: ByteStream
    rate: float
    seed: int
    reset_rate: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance_there = random.Random(f"{self.seed} to the device")
        self._chance_back = random.Random(f"{self.seed} to the host")
        self._reset = random.Random(f"{self.seed} reset")
        self._there, self._back = _Line(), _Line()

    def write(self, data: bytes) -> None:
        start = 0
        for position in range(len(data)):
            if self._reset.random() < self.reset_rate:
                self._send(data[start:position])
                self._count("reset")
                assert isinstance(self.device, DeviceStream)
                self.device.restart()
                start = position
        self._send(data[start:])

    def read(self, max_bytes: int, timeout: float) -> bytes:
        """At most once for each call the device is asked for more."""
        self._deliver()
        wait = self._back.seconds_left(self._there.seconds_left(timeout))
        self._travel(self.device.read(max_bytes, wait), self._back, self._chance_back)
        self._deliver()
        return self._back.take()

    def close(self) -> None:
        self.device.close()

    def _send(self, data: bytes) -> None:
        self._travel(data, self._there, self._chance_there)
        self._deliver()

    def _deliver(self) -> None:
        if data := self._there.take():
            self.device.write(data)

    def _travel(self, data: bytes, line: _Line, chance: random.Random) -> None:
        """Put `data` on the line, with faults."""
        together, delay = bytearray(), 0.0
        for byte in data:
            fault = chance.choice(KINDS) if chance.random() < self.rate else None
            if fault is None:
                together.append(byte)
                continue
            self._count(fault)
            if fault == "doubled":
                together += bytes((byte, byte))
            elif fault == "changed":
                together.append(byte ^ chance.randrange(1, 256))
            elif fault == "zeroed":
                together.append(0)
            elif fault == "delayed":
                line.put(bytes(together), delay)
                together, delay = bytearray((byte,)), chance.choice(DELAYS)
        if together:
            line.put(bytes(together), delay)

    def _count(self, fault: str) -> None:
        self.faults[fault] = self.faults.get(fault, 0) + 1
