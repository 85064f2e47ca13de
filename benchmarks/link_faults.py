"""Validates firmware over bad serial lines, and prints what came of it as Markdown tables.

    PYTHONPATH=tests/link python benchmarks/link_faults.py [--times N]

Each row is `tinyml validate` on a pseudo-terminal, several times: every layer of one random input,
another one each time, compared with the reference.  The device behind it is the generated firmware
in QEMU, or the same C compiled for this computer, which is faster.  The bad line is the one of the
tests.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from faulty_stream import FaultyStream
from host_firmware import FAST, build_host_firmware
from link_device import DeviceStream
from pty_line import PtyLine

import tinyml_tool as tt
from tinyml_tool.boards import load_board
from tinyml_tool.devices.device import ByteStream
from tinyml_tool.devices.qemu import QemuDevice
from tinyml_tool.errors import DeviceError
from tinyml_tool.firmware.protocol_header import PROTOCOL_HEADER

MODEL = Path(__file__).resolve().parent.parent / "examples" / "digits" / "digits.tflite"
BOARD = "qemu-m4"
SEED = 10
"""Of the first validation over a line; from here on each row with resets meets some."""

RATES = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.02, 0.05)
RATES_IN_QEMU = (0.0001, 0.001, 0.01)
RESET_RATES = (0.0005, 0.001, 0.002)
"""Resets for each byte to the device; a validation sends about 800."""
BAUDS = (9_600, 57_600, 115_200, 921_600, 2_000_000)

HEAD = (
    "| line | validations | exact | failures told | values right | values wrong | transfers "
    "| faults | damaged answers | sent again | recoveries | bytes | s |"
)
RULE = "|---|" + "---:|" * 12

StartDevice = Callable[[int], FaultyStream]
"""Starts a device behind a bad line; given the number of the validation."""


@dataclass
class Row:
    """What came of some validations over one kind of line."""

    line: str
    times: int = 0
    exact: int = 0
    told: Counter[str] = field(default_factory=Counter)
    right: int = 0
    wrong: int = 0
    transfers: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    sent_again: int = 0
    recoveries: int = 0
    bytes: int = 0
    seconds: float = 0.0

    def validate(self, project: Path, start: StartDevice, baud: int | None) -> None:
        """Validate once more, and count what happened."""
        values = project.parent / "values.npy"
        chance = np.random.default_rng(self.times)
        np.save(values, chance.integers(-128, 128, (1, 8, 8, 1), np.int8))
        began = time.monotonic()
        stream = start(self.times)
        with PtyLine(stream, baud) as line:
            try:
                parity = tt.validate(project, port=line.name, inputs=[values]).parity
            except DeviceError as error:
                self.told[re.sub(r"\d+ damaged", "N damaged", error.message)] += 1
            else:
                self.exact += parity.exact
                self.right += parity.values_compared - parity.values_different
                self.wrong += parity.values_different
        self.times += 1
        self.transfers += line.traffic.requests
        self.faults += Counter(stream.faults)
        self.damaged += line.traffic.damaged
        self.sent_again += line.traffic.sent_again
        self.recoveries += line.traffic.recoveries
        self.bytes += line.traffic.to_device + line.traffic.to_host
        self.seconds += time.monotonic() - began

    def add(self, other: Row) -> None:
        """Add the counts of another row."""
        for name, value in vars(other).items():
            if name != "line":
                setattr(self, name, getattr(self, name) + value)

    def text(self) -> str:
        """One row of the table."""
        numbers = [self.times, self.exact, self.told.total(), self.right, self.wrong]
        numbers += [self.transfers, self.faults.total(), self.damaged]
        numbers += [self.sent_again, self.recoveries]
        cells = [self.line, *(f"{number:,}" for number in (*numbers, self.bytes))]
        return f"| {' | '.join(cells)} | {self.seconds:.1f} |"


@dataclass(frozen=True)
class Firmware:
    """What runs behind the lines."""

    project: Path
    program: Path
    """For this computer."""
    old_program: Path
    """The same, but it says that it speaks version 0 of the protocol."""
    wrong_program: Path
    """The same with one weight changed: what a wrong value looks like in these figures."""
    elf: Path
    """For the emulator."""


@dataclass(frozen=True)
class Emulated:
    """The stream of an emulator that ends with it."""

    device: QemuDevice
    stream: ByteStream

    def read(self, max_bytes: int, timeout: float) -> bytes:
        """See ByteStream."""
        return self.stream.read(max_bytes, timeout)

    def write(self, data: bytes) -> None:
        """See ByteStream."""
        self.stream.write(data)

    def close(self) -> None:
        """End the emulator."""
        self.device.stop()


def build(folder: Path) -> Firmware:
    """Generate and build everything."""
    project = tt.generate(MODEL, board=BOARD, output=folder / "project").project
    old = shutil.copytree(project, folder / "old")
    header = old / "lib" / "link" / PROTOCOL_HEADER
    version = "#define TINYML_PROTOCOL_VERSION "
    header.write_text(header.read_text().replace(f"{version}1u", f"{version}0u"))
    wrong = shutil.copytree(project, folder / "wrong")
    model = wrong / "lib" / "model" / "model.c"
    model.write_text(re.sub(r"(?<=\] = \{\n  )-?\d+", "1", model.read_text(), count=1))
    return Firmware(
        project,
        build_host_firmware(project, folder / "firmware", FAST),
        build_host_firmware(old, folder / "old_firmware", FAST),
        build_host_firmware(wrong, folder / "wrong_firmware", FAST),
        tt.build(project, system="cmake").elf,
    )


def here(program: Path, rate: float = 0.0, reset_rate: float = 0.0) -> StartDevice:
    """The firmware as a program of this computer."""
    return lambda number: FaultyStream(DeviceStream(program), rate, SEED + number, reset_rate)


def in_qemu(elf: Path, rate: float) -> StartDevice:
    """The firmware in the emulator."""

    def start(number: int) -> FaultyStream:
        device = QemuDevice(load_board(BOARD), elf, time_limit=1000)
        return FaultyStream(Emulated(device, device.start()), rate, SEED + number)

    return start


Kind = tuple[str, StartDevice, int | None]
"""Name of a kind of line, what is behind it, its baud rate."""


def bad_lines(firmware: Firmware) -> list[Kind]:
    """The lines that are tried several times."""
    program = firmware.program
    kinds: list[Kind] = [("no fault", here(program), None)]
    kinds += [(f"{rate:.2%} of bytes", here(program, rate), None) for rate in RATES]
    kinds += [
        (f"{rate:.2%} of bytes, in QEMU", in_qemu(firmware.elf, rate), None)
        for rate in RATES_IN_QEMU
    ]
    kinds += [
        (f"a reset in {1 / rate:,.0f} bytes", here(program, 0.0, rate), None)
        for rate in RESET_RATES
    ]
    both = here(program, 0.001, RESET_RATES[0])
    kinds.append((f"the same in {1 / RESET_RATES[0]:,.0f}, 0.10% of bytes", both, None))
    kinds.append(("protocol version 0", here(firmware.old_program), None))
    return kinds


def slow_lines(firmware: Firmware) -> list[Kind]:
    """The lines that are tried once."""
    kinds: list[Kind] = [(f"{baud:,} baud", here(firmware.program), baud) for baud in BAUDS]
    slowest = min(BAUDS)
    kinds.append((f"{slowest:,} baud, 0.10% of bytes", here(firmware.program, 0.001), slowest))
    return kinds


def measured(project: Path, kind: Kind, times: int) -> Row:
    """Validate over lines of one kind, and print what came of it."""
    name, start, baud = kind
    row = Row(name)
    for _ in range(times):
        row.validate(project, start, baud)
    print(row.text(), flush=True)
    return row


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10, help="validations over each bad line")
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as folder:
        firmware = build(Path(folder))
        print(HEAD, RULE, sep="\n")
        rows = [measured(firmware.project, kind, times) for kind in bad_lines(firmware)]
        rows += [measured(firmware.project, kind, 1) for kind in slow_lines(firmware)]
        total = Row("all")
        for row in rows:
            total.add(row)
        print(total.text())
        print("\nThe control, a firmware with one weight changed:\n", HEAD, RULE, sep="\n")
        measured(firmware.project, ("no fault", here(firmware.wrong_program), None), 1)
    print("\nFaults:", ", ".join(f"{kind} {count:,}" for kind, count in total.faults.most_common()))
    print("\nFailures told:\n")
    for row in rows:
        for message, count in row.told.items():
            print(f"- {row.line}, {count} of {row.times}: {message}")


if __name__ == "__main__":
    main()
