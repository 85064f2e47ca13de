"""Motion sensors as their data sheets tell: registers, FIFO, and what can go wrong on the bus."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence

AUTO_INCREMENT = 0x04
SW_RESET = 0x01
WHO_AM_I = 0x0F

Row = Sequence[int]


def word_bytes(value: int) -> bytes:
    return (value & 0xFFFF).to_bytes(2, "little")


class Chip(ABC):
    """A register file on the bus.

    `nack_after`: transfers that it acknowledges before it is gone.  `reset_reads`: how often its
    reset bit is read as 1.
    """

    address: int
    control: int
    who: int

    def __init__(self) -> None:
        self.nack_after: int | None = None
        self.reset_reads = 3
        self.resets = 0
        self.longest_read = 0
        self.registers = bytearray(128)
        self.power_on()

    def power_on(self) -> None:
        self.registers[:] = bytes(128)
        self.registers[self.control] = AUTO_INCREMENT
        self.registers[WHO_AM_I] = self.who
        self._resetting = 0
        self.empty()

    def _acknowledges(self, device: int) -> bool:
        if device != self.address or self.nack_after == 0:
            return False
        if self.nack_after is not None:
            self.nack_after -= 1
        return True

    def on_write(self, device: int, register: int, value: int) -> bool:
        if not self._acknowledges(device):
            return False
        if register == self.control and value & SW_RESET:
            self.power_on()
            self.resets += 1
            self._resetting = self.reset_reads
            return True
        assert register != WHO_AM_I
        self.registers[register] = value
        self.written(register, value)
        return True

    def on_read(self, device: int, register: int, count: int) -> bytes | None:
        if not self._acknowledges(device):
            return None
        self.longest_read = max(self.longest_read, count)
        if register == self.control and self._resetting:
            self._resetting -= 1
            return bytes([self.registers[register] | SW_RESET]) * count
        assert count == 1 or self.registers[self.control] & AUTO_INCREMENT
        return self.read(register, count)

    @abstractmethod
    def empty(self) -> None: ...

    @abstractmethod
    def written(self, register: int, value: int) -> None: ...

    @abstractmethod
    def read(self, register: int, count: int) -> bytes: ...

    @abstractmethod
    def feed(self, acceleration: Row, rotation: Row) -> None:
        """What both sensors measure at the next time."""


class Lsm6dsl(Chip):
    address, control, who = 0x6A, 0x12, 0x6A
    WORDS = 2048

    def empty(self) -> None:
        self.words: deque[int] = deque()
        self.place = 0
        self.overrun = False

    @property
    def row_words(self) -> int:
        kept = self.registers[0x08]
        return 3 * (kept & 0x07 == 1) + 3 * (kept >> 3 & 0x07 == 1)

    def written(self, register: int, value: int) -> None:
        if register == 0x0A and value & 0x07 == 0:
            self.empty()

    def feed(self, acceleration: Row, rotation: Row) -> None:
        fifo = self.registers[0x0A]
        if fifo & 0x07 != 6:
            return
        kept = self.registers[0x08]
        for part, field, rate in ((rotation, kept >> 3, 0x11), (acceleration, kept, 0x10)):
            if field & 0x07 == 1:
                assert self.registers[rate] >> 4 == fifo >> 3 != 0, "the rates differ"
                self.words.extend(part)
        while len(self.words) >= self.WORDS:
            self.overrun = True
            self.words.popleft()
            self.place = (self.place + 1) % self.row_words

    def read(self, register: int, count: int) -> bytes:
        if register == 0x3A:
            unread = len(self.words)
            flags = 0x40 * self.overrun | 0x10 * (unread == 0)
            status = [unread & 0xFF, unread >> 8 | flags, self.place & 0xFF, self.place >> 8]
            return bytes(status[:count])
        if register == 0x3E:
            assert count % 2 == 0
            return b"".join(word_bytes(self._next()) for _ in range(count // 2))
        return bytes(self.registers[register : register + count])

    def _next(self) -> int:
        self.place = (self.place + 1) % self.row_words
        return self.words.popleft()


class Lsm9ds1(Chip):
    address, control, who = 0x6B, 0x22, 0x68
    ROWS = 32

    def empty(self) -> None:
        self.rotations: deque[Row] = deque()
        self.accelerations: deque[Row] = deque()
        self.overrun = False

    def written(self, register: int, value: int) -> None:
        if register == 0x2E and value >> 5 == 0:
            self.empty()

    def feed(self, acceleration: Row, rotation: Row) -> None:
        if self.registers[0x2E] >> 5 != 6 or not self.registers[0x23] & 0x02:
            return
        if self.registers[0x20] >> 5 == 0:
            return
        gyroscope = self.registers[0x10] >> 5
        assert gyroscope in (0, self.registers[0x20] >> 5), "the rates differ"
        self.accelerations.append(acceleration)
        if gyroscope:
            self.rotations.append(rotation)
        if len(self.accelerations) > self.ROWS:
            self.overrun = True
            self.accelerations.popleft()
            if gyroscope:
                self.rotations.popleft()

    def read(self, register: int, count: int) -> bytes:
        if register == 0x2F:
            return bytes([0x40 * self.overrun | len(self.accelerations)])
        fifos = {0x18: self.rotations, 0x28: self.accelerations}
        if register in fifos:
            assert count == 6
            return b"".join(map(word_bytes, fifos[register].popleft()))
        return bytes(self.registers[register : register + count])
