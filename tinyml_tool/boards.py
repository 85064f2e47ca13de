"""Boards: one TOML file each, read strictly into frozen values."""

from __future__ import annotations

import difflib
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    ValidationError,
    model_validator,
)

from tinyml_tool.errors import ConfigError, UnknownBoardError
from tinyml_tool.resources import data_folder

_PIN = r"^P([A-K](\d|1[0-5])|0\.(\d|[12]\d|3[01]))$"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Core(_Strict):
    """The processor core and what kernels may use of it."""

    name: Literal[
        "cortex-m0",
        "cortex-m0plus",
        "cortex-m3",
        "cortex-m4",
        "cortex-m7",
        "cortex-m33",
        "cortex-m55",
        "cortex-m85",
    ]
    fpu: Literal["none", "single", "double"] = "none"
    dsp: bool = False
    mve: bool = False

    @property
    def gcc_flags(self) -> tuple[str, ...]:
        """GCC options that select this core and its floating-point ABI."""
        flags = ["-mthumb", f"-mcpu={self.name}"]
        if self.fpu == "none":
            return (*flags, "-mfloat-abi=soft")
        fpu = {
            ("cortex-m4", "single"): "fpv4-sp-d16",
            ("cortex-m7", "single"): "fpv5-sp-d16",
            ("cortex-m7", "double"): "fpv5-d16",
            ("cortex-m33", "single"): "fpv5-sp-d16",
        }.get((self.name, self.fpu), "auto")
        return (*flags, "-mfloat-abi=hard", f"-mfpu={fpu}")


class MemoryRegion(_Strict):
    """An address range: `origin` and `size` in bytes."""

    origin: Annotated[int, Field(ge=0, lt=2**32)]
    size: PositiveInt


class Memory(_Strict):
    """Where code and data live."""

    flash: MemoryRegion
    ram: MemoryRegion


class UartPins(_Strict):
    """The pins that carry the UART, as the chip's manual names them: `PB6`, or `P0.24` on nRF."""

    tx: Annotated[str, Field(pattern=_PIN)]
    rx: Annotated[str, Field(pattern=_PIN)]

    @property
    def tx_number(self) -> int:
        """Number of the sending pin: index of the port times its width, plus the pin."""
        return _pin_number(self.tx)

    @property
    def rx_number(self) -> int:
        """Number of the receiving pin."""
        return _pin_number(self.rx)


def _pin_number(pin: str) -> int:
    if pin.startswith("P0."):
        return int(pin.removeprefix("P0."))
    return 16 * (ord(pin[1]) - ord("A")) + int(pin[2:])


class Uart(_Strict):
    """The serial port that carries the link. `driver` is a file `port/uart_<driver>.c`."""

    driver: Literal["cmsdk", "nrf51", "stm32f4"]
    base: Annotated[int, Field(ge=0, lt=2**32)]
    irq: Annotated[int, Field(ge=0, lt=480)]
    clock_hz: PositiveInt
    baud: PositiveInt = 115200
    pins: UartPins | None = None
    """Needed by the drivers `nrf51` and `stm32f4`; None where the pins are fixed."""

    @model_validator(mode="after")
    def _pins_where_needed(self) -> Self:
        if self.driver in ("nrf51", "stm32f4") and self.pins is None:
            raise ValueError(f"driver '{self.driver}' needs [uart.pins] with tx and rx")
        return self


class Timer(_Strict):
    """The free-running counter for benchmarks. `driver` is a file `port/timer_<driver>.c`."""

    driver: Literal["systick", "fpgaio", "nrf51", "stm32f4"]
    base: Annotated[int, Field(ge=0, lt=2**32)] = 0
    hz: PositiveInt


class Emulator(_Strict):
    """How the board is emulated."""

    kind: Literal["qemu"]
    machine: str
    timer_hz: PositiveInt | None = None
    """Rate of the timer in the emulator, where it differs from the part's."""


class PlatformIO(_Strict):
    """PlatformIO ids of the board."""

    platform: str
    board: str
    framework: str | None = None


class Upload(_Strict):
    """How firmware gets onto the board."""

    protocol: str


class Board(_Strict):
    """A board: everything about it that generated firmware and the tool must know."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    name: str
    description: str = ""
    core: Core
    chip: Literal["generic", "nrf51", "stm32f4"] = "generic"
    """What is special about the chip's clocks and reset: a file `port/chip_<chip>.c`."""
    memory: Memory
    clock_hz: PositiveInt
    uart: Uart
    timer: Timer
    emulator: Emulator | None = None
    platformio: PlatformIO
    upload: Upload
    usb_ids: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")], ...] = ()
    """USB vendor and product ids, `vvvv:pppp`."""

    @property
    def receive_bytes(self) -> int:
        """Size of the firmware's ring of received bytes: a power of two."""
        return 2048 if self.memory.ram.size >= 64 * 1024 else 512


def board_from_toml(text: str, source: str) -> Board:
    """Read one board. Raises ConfigError that names every wrong key and value of `source`."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from None
    if isinstance(values.get("usb_ids"), list):
        values["usb_ids"] = tuple(values["usb_ids"])
    try:
        return Board.model_validate(values)
    except ValidationError as error:
        problems = [_describe(dict(problem)) for problem in error.errors()]
        raise ConfigError(f"{source}: {problems[0]}", details=problems) from None


def _describe(problem: dict[str, Any]) -> str:
    path = [str(part) for part in problem["loc"]]
    where = ".".join(path)
    if problem["type"] == "missing":
        return f"'{where}' is missing"
    if problem["type"] != "extra_forbidden":
        return f"'{where}' = {problem['input']!r}: {problem['msg']}"
    near = difflib.get_close_matches(path[-1], _keys_at(path[:-1]), n=1)
    return f"unknown key '{where}'" + (f", did you mean '{near[0]}'?" if near else "")


def _keys_at(path: list[str]) -> list[str]:
    model: Any = Board
    for part in path:
        annotation = model.model_fields[part].annotation
        options = getattr(annotation, "__args__", (annotation,))
        model = next(option for option in options if isinstance(option, type))
    return list(model.model_fields)


@cache
def load_boards() -> dict[str, Board]:
    """All boards by id, sorted. Raises ConfigError where a board file is wrong."""
    boards: dict[str, Board] = {}
    for path in sorted(data_folder("boards").glob("*.toml")):
        board = board_from_toml(path.read_text(encoding="utf-8"), path.name)
        if board.id != path.stem:
            raise ConfigError(f"{path.name}: id '{board.id}' must equal the file's name")
        boards[board.id] = board
    return boards


def load_board(board: str | Path | Board) -> Board:
    """The board of that id, or the one described by a TOML file of the user.

    Raises UnknownBoardError, with the nearest ids, or ConfigError.
    """
    if isinstance(board, Board):
        return board
    name = str(board)
    if name.endswith(".toml"):
        path = Path(name)
        try:
            return board_from_toml(path.read_text(encoding="utf-8"), path.name)
        except OSError as error:
            raise UnknownBoardError(f"{name}: {error.strerror}") from None
    boards = load_boards()
    if name in boards:
        return boards[name]
    near = difflib.get_close_matches(name, boards, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise UnknownBoardError(f"unknown board '{name}'", hint=hint + "`tinyml boards` lists them all")
