"""Boards: one TOML file each, read strictly into frozen values."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, model_validator

from tinyml_tool.errors import ConfigError, InputError, UnknownBoardError
from tinyml_tool.real_boards import Arduino, Checked, FrameworkMemory, PlatformIO, Sources
from tinyml_tool.resources import data_folder
from tinyml_tool.strict_toml import read_toml, toml_text, validate

_PIN = r"^P([A-K](\d|1[0-5])|0\.(\d|[12]\d|3[01]))$"
_FPU_CHOICES = {
    "cortex-m4": ("none", "single"),
    "cortex-m7": ("none", "single", "double"),
    "cortex-m33": ("none", "single"),
    "cortex-m55": ("none", "double"),
    "cortex-m85": ("none", "double"),
    "xtensa-lx6": ("none", "single"),
    "xtensa-lx7": ("none", "single"),
}
_WITH_DSP = ("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55", "cortex-m85")
_WITH_MVE = ("cortex-m55", "cortex-m85")
_WITH_CYCLE_COUNTER = ("cortex-m3", *_WITH_DSP)


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
        "xtensa-lx6",
        "xtensa-lx7",
        "rv32imc",
    ]
    fpu: Literal["none", "single", "double"] = "none"
    dsp: bool = False
    mve: bool = False

    @property
    def is_arm(self) -> bool:
        """Whether arm-none-eabi-gcc compiles for it."""
        return self.name.startswith("cortex-")

    @property
    def long_multiplication(self) -> bool:
        """Whether it is an Arm core whose multiplications have 64 bits (SMULL, SMLAL)."""
        return self.is_arm and self.name not in ("cortex-m0", "cortex-m0plus")

    @property
    def gcc_flags(self) -> tuple[str, ...]:
        """Options of arm-none-eabi-gcc for this core and its floating-point ABI; none for others.

        Other cores have compilers of their vendors, which know the chip.
        """
        if not self.is_arm:
            return ()
        missing = "+nodsp" * (self.name == "cortex-m33" and not self.dsp)
        missing += "+nomve" * (self.name in _WITH_MVE and not self.mve)
        flags = ["-mthumb", f"-mcpu={self.name}{missing}"]
        if self.fpu == "none":
            return (*flags, "-mfloat-abi=soft")
        fpu = {
            ("cortex-m4", "single"): "fpv4-sp-d16",
            ("cortex-m7", "single"): "fpv5-sp-d16",
            ("cortex-m7", "double"): "fpv5-d16",
            ("cortex-m33", "single"): "fpv5-sp-d16",
        }.get((self.name, self.fpu), "auto")
        return (*flags, "-mfloat-abi=hard", f"-mfpu={fpu}")

    @model_validator(mode="after")
    def _features_the_core_can_have(self) -> Self:
        if self.fpu not in _FPU_CHOICES.get(self.name, ("none",)):
            raise ValueError(f"a {self.name} has no FPU of kind '{self.fpu}'")
        if self.dsp != (self.name in _WITH_DSP) and self.name != "cortex-m33":
            raise ValueError(f"a {self.name} {'has no' if self.dsp else 'has'} DSP instructions")
        if self.mve and self.name not in _WITH_MVE:
            raise ValueError(f"a {self.name} has no vector instructions (mve)")
        return self


class MemoryRegion(_Strict):
    """An address range: `origin` and `size` in bytes."""

    origin: Annotated[int, Field(ge=0, lt=2**32)]
    size: PositiveInt

    @property
    def end(self) -> int:
        """The first address after the region."""
        return self.origin + self.size

    @model_validator(mode="after")
    def _inside_the_address_space(self) -> Self:
        if self.end > 2**32:
            raise ValueError(f"ends at 0x{self.end:x}, outside the 32-bit address space")
        return self


STACK_GUARD_BYTES = 0x8000
"""Below the stack: what some cores guard against an overflow, so that nothing may lie there."""


def _not_of_the_script(name: str) -> str:
    if name == "flash":
        raise ValueError("the flash has this name: give another")
    return name


class RamRegion(MemoryRegion):
    """One of several pieces of RAM, such as a tightly coupled memory (TCM)."""

    name: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9_]{0,15}$"), AfterValidator(_not_of_the_script)
    ]
    speed: PositiveInt
    """Its place in the order of speed: 1 is the fastest; several may share one."""
    dma: bool = True
    """Whether the DMA reaches it; told, and of no effect: the firmware uses none on the arena."""
    note: str = ""

    @model_validator(mode="after")
    def _aligned(self) -> Self:
        if self.origin % 16 != 0:
            raise ValueError(f"origin 0x{self.origin:x} is no multiple of 16")
        return self


class Memory(_Strict):
    """Where code and data live.

    Of a real board: the flash that a program may fill, and the one region of RAM that holds static
    data and so the model; the chip may have more of both.
    """

    flash: MemoryRegion
    ram: MemoryRegion
    framework: FrameworkMemory | None = None
    """Of real boards: the part of both that is not left for the model."""
    flash_wait_states: Annotated[int, Field(ge=0, le=15)] = 0
    """Of the flash at the board's clock, for estimates of cycles; 0 also where it is not known."""
    constants_in_ram: bool = False
    """Whether the start-up code copies constants to RAM, so that weights take both memories."""
    regions: tuple[RamRegion, ...] = ()
    """All pieces of RAM that a program may use, where there are several: `ram`, which holds stack
    and variables, and those that can hold the arena in its place."""
    arena: str | None = None
    """Name of the region for the arena; None for the fastest that holds it."""

    @property
    def ram_total(self) -> int:
        """Bytes of RAM in all regions."""
        return sum(region.size for region in self.regions) or self.ram.size

    def is_main(self, region: MemoryRegion) -> bool:
        """Whether a region is `ram`, where stack and variables lie."""
        return (region.origin, region.size) == (self.ram.origin, self.ram.size)

    @property
    def other_regions(self) -> tuple[RamRegion, ...]:
        """The regions beside `ram`."""
        return tuple(region for region in self.regions if not self.is_main(region))

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if _overlap(self.flash, self.ram):
            raise ValueError("flash and ram overlap")
        return self

    @model_validator(mode="after")
    def _regions_apart(self) -> Self:
        names = [region.name for region in self.regions]
        for index, region in enumerate(self.regions):
            if region.name in names[:index]:
                raise ValueError(f"two regions have the name '{region.name}'")
            if _overlap(region, self.flash):
                raise ValueError(f"region '{region.name}' and flash overlap")
            for other in self.regions[:index]:
                if _overlap(region, other):
                    raise ValueError(f"regions '{other.name}' and '{region.name}' overlap")
        if self.regions and len(self.other_regions) != len(self.regions) - 1:
            raise ValueError(
                f"no region is ram (origin 0x{self.ram.origin:x}, {self.ram.size:,} bytes), which "
                "holds stack and variables: list it too"
            )
        if self.arena is not None and self.arena not in names:
            raise ValueError(f"arena = '{self.arena}' is no region: {_listed(names)}")
        return self

    @model_validator(mode="after")
    def _nothing_below_the_stack(self) -> Self:
        for region in self.other_regions:
            if self.ram.origin - STACK_GUARD_BYTES < region.end <= self.ram.origin:
                raise ValueError(
                    f"region '{region.name}' ends less than {STACK_GUARD_BYTES:,} bytes below ram: "
                    "the stack lies at the bottom of it, and would overflow into the region"
                )
        return self


def _overlap(one: MemoryRegion, other: MemoryRegion) -> bool:
    return one.origin < other.end and other.origin < one.end


def _listed(names: Sequence[str]) -> str:
    return f"there {'are' if len(names) > 1 else 'is'} {', '.join(names) or 'none'}"


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
    """The serial port that carries the link. `driver` is a file `port/uart_<driver>.c`.

    Driver `arduino` is the framework's own, described in [arduino]; it has no registers here.
    """

    driver: Literal["cmsdk", "nrf51", "stm32f4", "stm32h7", "arduino"]
    base: Annotated[int, Field(ge=0, lt=2**32)] = 0
    irq: Annotated[int, Field(ge=0, lt=480)] = 0
    clock_hz: Annotated[int, Field(ge=0)] = 0
    baud: PositiveInt = 115200
    pins: UartPins | None = None
    """Needed by the drivers `nrf51`, `stm32f4` and `stm32h7`; None where the pins are fixed."""

    @model_validator(mode="after")
    def _registers_where_needed(self) -> Self:
        given = self.model_fields_set & {"base", "irq", "clock_hz", "pins"}
        if self.driver == "arduino":
            if given:
                raise ValueError(f"driver 'arduino' takes no {' and no '.join(sorted(given))}")
            return self
        if missing := {"base", "irq", "clock_hz"} - given:
            raise ValueError(f"driver '{self.driver}' needs {' and '.join(sorted(missing))}")
        if self.driver in ("nrf51", "stm32f4", "stm32h7") and self.pins is None:
            raise ValueError(f"driver '{self.driver}' needs [uart.pins] with tx and rx")
        return self


class Timer(_Strict):
    """The free-running counter for benchmarks. `driver` is a file `port/timer_<driver>.c`.

    On a framework it is `dwt`, the core's cycle counter, or `micros`, the framework's clock.
    """

    driver: Literal["systick", "fpgaio", "nrf51", "stm32f4", "stm32h7", "dwt", "micros"]
    base: Annotated[int, Field(ge=0, lt=2**32)] = 0
    hz: PositiveInt


class Emulator(_Strict):
    """How QEMU emulates the board."""

    kind: Literal["qemu"]
    machine: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    timer_hz: PositiveInt | None = None
    """Rate of the timer in the emulator, where it differs from the part's."""


class RenodePart(_Strict):
    """A model of Renode's that stands for a part of the chip, such as `UART.STM32_UART`."""

    type: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]*\.[A-Z][A-Za-z0-9_]*$")]
    size: PositiveInt | None = None
    """Bytes of its registers, for models that do not know it themselves."""
    options: dict[Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]*$")], bool | int] = {}
    """What its constructor takes, by Renode's names."""


class RenodeTimer(RenodePart):
    """The model of the free-running counter."""

    hz: PositiveInt | None = None
    """The clock it counts, before its prescaler; None where the model has a fixed one."""


class RenodePeripheral(RenodePart):
    """A further peripheral that the firmware touches."""

    base: Annotated[int, Field(ge=0, lt=2**32)]
    irq: Annotated[int, Field(ge=0, lt=480)] | None = None


def _not_taken(name: str) -> str:
    if name in ("cpu", "flash", "nvic", "ram", "sysbus", "timer", "uart"):
        raise ValueError("every platform has one of this name: give another")
    return name


_RenodeName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$"), AfterValidator(_not_taken)]


class Renode(_Strict):
    """How Renode emulates the board; addresses and interrupts are those of `uart` and `timer`."""

    cpu: Annotated[str, Field(pattern=r"^cortex-m\d+[a-z+]*$")]
    """Renode's name of the core, such as `cortex-m4f`: with FPU."""
    uart: RenodePart
    timer: RenodeTimer | None = None
    """None where the timer is SysTick, which every core has."""
    peripherals: dict[_RenodeName, RenodePeripheral] = {}


class Upload(_Strict):
    """How firmware gets onto the board."""

    protocol: str


class Board(_Strict):
    """A board: everything about it that generated firmware and the tool must know."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    name: str
    description: str = ""
    core: Core
    chip: Literal["generic", "nrf51", "stm32f4", "stm32h7"] = "generic"
    """What is special about the chip's clocks and reset: a file `port/chip_<chip>.c`."""
    memory: Memory
    clock_hz: PositiveInt
    uart: Uart
    timer: Timer
    emulator: Emulator | None = None
    """None where QEMU has no such board.  `emulator = "renode"` in a file says that it is not
    meant to, and demands a table [renode]."""
    renode: Renode | None = None
    platformio: PlatformIO
    upload: Upload
    emulated_as: str | None = None
    """Of a real board: the emulated one that its projects run on beside it, nearest in core."""
    renode_as: str | None = None
    """Of a real board: the one that Renode runs in its place beside that: the same chip."""
    emulation_note: str = ""
    """What that emulation does not show, where the cores are not the same."""
    arduino: Arduino | None = None
    checked: Checked | None = None
    sources: Sources | None = None
    """Of a real board: sensors that the firmware can read."""
    usb_ids: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{4}:[0-9a-f]{4}$")], ...] = ()
    """USB vendor and product ids, `vvvv:pppp`."""

    @property
    def is_real(self) -> bool:
        """Whether it is programmed through a framework of its vendor, on a desk."""
        return self.arduino is not None

    @property
    def source_kinds(self) -> tuple[str, ...]:
        """What a project may name as its source of raw samples.

        A recording is read through QEMU's semihosting, so in projects of emulated boards only.
        """
        if self.is_real:
            return self.sources.kinds if self.sources is not None else ()
        return ("replay",) if self.emulator is not None else ()

    @property
    def receive_bytes(self) -> int:
        """Size of the firmware's ring of received bytes: a power of two."""
        return 2048 if self.memory.ram.size >= 64 * 1024 else 512

    @property
    def is_emulated(self) -> bool:
        """Whether an emulator runs it: QEMU, Renode or both."""
        return self.emulator is not None or self.renode is not None

    @model_validator(mode="after")
    def _real_or_bare(self) -> Self:
        parts = {
            "emulated_as": self.emulated_as is not None,
            "platformio.framework": self.platformio.framework is not None,
            "platformio.package": self.platformio.package is not None,
            "memory.framework": self.memory.framework is not None,
            "uart.driver 'arduino'": self.uart.driver == "arduino",
            "timer.driver 'dwt' or 'micros'": self.timer.driver in ("dwt", "micros"),
        }
        wrong = [name for name, there in parts.items() if there != self.is_real]
        if wrong and self.is_real:
            raise ValueError(f"a board with [arduino] needs {' and '.join(wrong)}")
        if wrong:
            raise ValueError(f"{' and '.join(wrong)}: only for boards with [arduino]")
        if self.is_real and self.memory.regions:
            raise ValueError(
                "memory.regions: only for boards without [arduino], whose framework has a linker "
                "script of its own"
            )
        if self.is_real and self.is_emulated:
            name = "emulator" if self.emulator else "renode"
            raise ValueError(f"a board with [arduino] has no [{name}], it has 'emulated_as'")
        if self.sources is not None and not self.is_real:
            raise ValueError("[sources]: only for boards with [arduino]")
        if self.renode_as is not None and not self.is_real:
            raise ValueError("renode_as: only for boards with [arduino]")
        if self.timer.driver == "dwt" and self.core.name not in _WITH_CYCLE_COUNTER:
            raise ValueError(f"a {self.core.name} has no cycle counter: timer.driver is 'micros'")
        if self.timer.driver == "micros" and self.timer.hz != 1_000_000:
            raise ValueError("timer.driver 'micros' counts with timer.hz = 1_000_000")
        return self


def board_from_toml(text: str, source: str) -> Board:
    """Read one board. Raises ConfigError that names every wrong key and value of `source`."""
    values = read_toml(text, source)
    if isinstance(values.get("usb_ids"), list):
        values["usb_ids"] = tuple(values["usb_ids"])  # TOML has no tuples, and boards no lists
    memory = values.get("memory")
    if isinstance(memory, dict) and isinstance(memory.get("regions"), list):
        memory["regions"] = tuple(memory["regions"])
    if values.get("emulator") == "renode":
        if "renode" not in values:
            raise ConfigError(f"{source}: emulator = 'renode' needs a table [renode]")
        del values["emulator"]  # what is left says it: a table [renode], and none for QEMU
    return validate(Board, values, source)


def board_to_toml(board: Board) -> str:
    """The text of a board file, of which `board_from_toml` makes the same board."""
    return toml_text(board.model_dump(exclude_unset=True))


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
            raise UnknownBoardError(
                f"{name}: {error.strerror}", hint="`tinyml boards` lists the boards known by name"
            ) from None
        except UnicodeDecodeError:
            raise ConfigError(f"{name}: not a text file") from None
    boards = load_boards()
    if name in boards:
        return boards[name]
    near = difflib.get_close_matches(name, boards, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    raise UnknownBoardError(f"unknown board '{name}'", hint=hint + "`tinyml boards` lists them all")


def with_arena_in(board: Board, region: str | None) -> Board:
    """`board` with the arena in its region of that name; as it is for None.

    Raises InputError where it has no such region.
    """
    if region is None:
        return board
    names = [each.name for each in board.memory.regions]
    if region not in names:
        raise InputError(
            f"{board.id} has no memory region '{region}': {_listed(names)}",
            hint="regions are in the board's file, [[memory.regions]]: see `tinyml boards show`",
        )
    return board.model_copy(update={"memory": board.memory.model_copy(update={"arena": region})})


def emulated_board(board: Board) -> Board:
    """The board that emulators run for `board`: itself, or the one that stands in for a real one.

    Raises ConfigError where that one is not emulated.
    """
    return board if board.emulated_as is None else _stand_in(board, "emulated_as")


def emulated_boards(board: Board) -> tuple[Board, ...]:
    """All boards that emulators run for `board`: `emulated_board`, then that of `renode_as`.

    Raises ConfigError where one of them is not emulated, or not so.
    """
    first = emulated_board(board)
    if board.renode_as is None:
        return (first,)
    second = _stand_in(board, "renode_as")
    if second.renode is None or second.core != first.core or second == first:
        raise ConfigError(
            f"board '{board.id}': renode_as = '{second.id}' must be a board with [renode] and the "
            f"core of '{first.id}'",
            hint="a project compiles its model once for both",
        )
    return first, second


def _stand_in(board: Board, key: str) -> Board:
    name: str = getattr(board, key)
    found = load_boards().get(name)
    if found is None or not found.is_emulated:
        raise ConfigError(
            f"board '{board.id}': {key} = '{name}' is no emulated board",
            hint="`tinyml boards` tells which boards are emulated",
        )
    return found
