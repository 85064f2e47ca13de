"""A bad cable: loses, doubles, changes and delays bytes, and presses the reset button."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from link_device import DeviceStream

from tinyml_tool.devices.device import ByteStream


@dataclass
class FaultyStream:
    """A ByteStream around a device whose bytes meet faults in both directions.

    `rate` is the probability of a fault for each byte, `reset_rate` that of a reset after it, for
    devices that can be reset.
    """

    device: ByteStream
    rate: float
    seed: int
    reset_rate: float = 0.0
    faults: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._there = random.Random(self.seed)
        self._back = random.Random(self.seed + 1)
        self._held = b""
        self._held_until = 0.0

    def write(self, data: bytes) -> None:
        start = 0
        for position in range(len(data)):
            if self._there.random() < self.reset_rate:
                self.device.write(self._damage(data[start:position], self._there))
                self._count("reset")
                assert isinstance(self.device, DeviceStream)
                self.device.restart()
                start = position
        self.device.write(self._damage(data[start:], self._there))

    def read(self, max_bytes: int, timeout: float) -> bytes:
        if self._held:
            time.sleep(max(0.0, min(timeout, self._held_until - time.monotonic())))
            if time.monotonic() < self._held_until:
                return b""
            data, self._held = self._held, b""
            return data
        data = self._damage(self.device.read(max_bytes, timeout), self._back)
        if data and self._back.random() < self.rate * len(data):
            self._count("delayed")
            cut = self._back.randrange(len(data))
            data, self._held = data[:cut], data[cut:]
            self._held_until = time.monotonic() + self._back.choice((0.001, 0.005, 0.05))
        return data

    def close(self) -> None:
        self.device.close()

    def _damage(self, data: bytes, chance: random.Random) -> bytes:
        damaged = bytearray()
        for byte in data:
            if chance.random() >= self.rate:
                damaged.append(byte)
                continue
            fault = chance.choice(("lost", "doubled", "changed", "zeroed"))
            self._count(fault)
            if fault == "doubled":
                damaged += bytes((byte, byte))
            elif fault == "changed":
                damaged.append(byte ^ chance.randrange(1, 256))
            elif fault == "zeroed":
                damaged.append(0)
        return bytes(damaged)

    def _count(self, fault: str) -> None:
        self.faults[fault] = self.faults.get(fault, 0) + 1
