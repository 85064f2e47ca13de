"""What only real boards have: a framework, a wire, and PlatformIO's own data to compare with."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

_Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_Flag = Annotated[str, Field(pattern=r"^-[^\s;#$]+$")]
_Flags = Annotated[tuple[_Flag, ...], Field(strict=False)]  # TOML has lists only
_Package = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9-]+/[a-z0-9-]+ @ [0-9]+\.[0-9]+\.[0-9]+"
        r"|https://[a-zA-Z0-9./_-]+\.git#[0-9a-f]{40})$"
    ),
]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PlatformIO(_Strict):
    """PlatformIO ids of the board, and what its environment needs beside them."""

    platform: str
    """The platform's name, as its own platform.json says it."""
    board: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
    framework: Literal["arduino"] | None = None
    package: _Package | None = None
    """Where the platform comes from, pinned: `owner/name @ version` or `https://...git#commit`."""
    build_flags: _Flags = ()
    build_unflags: _Flags = ()
    options: dict[
        Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]*$")],
        Annotated[str, Field(pattern=r"^[^\s;#$][^\n;$]*$")],
    ] = {}
    """Further lines of the environment, such as `board_build.variant`."""
    note: str = ""
    """Why the platform or the board is not the one its name suggests."""


class FrameworkMemory(_Strict):
    """Bytes a framework takes for itself, about: with its serial port, without radio."""

    flash: PositiveInt
    ram: PositiveInt


class Arduino(_Strict):
    """How the firmware meets the board's Arduino framework: the files of `port_arduino/`."""

    serial: _Identifier = "Serial"
    """The object that carries the link."""
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+\.h$")] | None = None
    """What must be included beside Arduino.h to have that object."""
    wire: Annotated[str, Field(min_length=1)]
    """What to plug in where."""
    receive_bytes: PositiveInt
    """Bytes kept until they are read.  A USB host waits where they are full; a UART loses."""
    receive_setup: _Identifier | None = None
    """The method of `serial` that sets `receive_bytes`; called before begin()."""
    flush: bool = False
    """Whether what was written stays in the framework until flush() is called."""
    chip: Literal["cortex_m", "esp32", "nrf52", "stm32"] = "cortex_m"
    """How the chip restarts and tells why it was reset: a file `port_arduino/chip_<chip>.cpp`."""
    loop_stack_bytes: PositiveInt | None = None
    """Stack of the FreeRTOS task that runs loop(); None where no such task is."""


_Rates = Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)]
_Pin = Annotated[int, Field(ge=0, le=63)]


class MicrophonePdm(_Strict):
    """A PDM microphone that the framework's library `PDM` reads."""

    rates: _Rates
    """Samples a second that the library takes on this board."""
    wire: Annotated[str, Field(min_length=1)]
    """Which part it is, or what to connect."""


class MicrophoneI2s(_Strict):
    """An I2S microphone at pins of an ESP32, which a project may choose otherwise."""

    bclk: _Pin
    ws: _Pin
    data: _Pin
    wire: Annotated[str, Field(min_length=1)]


class SensorI2c(_Strict):
    """A sensor on an I2C bus of the framework's library `Wire`."""

    address: Annotated[int, Field(ge=0x08, le=0x77)]
    bus: _Identifier = "Wire"
    """The object that stands for the bus."""
    sda: _Identifier | None = None
    """Pins of the bus, where the sensor is not at the framework's own."""
    scl: _Identifier | None = None
    wire: Annotated[str, Field(min_length=1)]


class Camera(_Strict):
    """A camera and the library that reads it."""

    driver: Literal["ov767x", "esp32"]
    wire: Annotated[str, Field(min_length=1)]


class Sources(_Strict):
    """`[sources]`: sensors of the board, or usual ones beside it, that the firmware can read."""

    pdm: MicrophonePdm | None = None
    i2s: MicrophoneI2s | None = None
    lsm9ds1: SensorI2c | None = None
    lsm6dsl: SensorI2c | None = None
    camera: Camera | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of those that are there."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)


class Checked(_Strict):
    """What PlatformIO's own file says of the board, as it was read, to compare this file with."""

    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$")]
    version: Annotated[str, Field(pattern=r"^([0-9]+\.[0-9]+\.[0-9]+|[0-9a-f]{40})$")]
    """A release, or a commit."""
    file: Annotated[str, Field(pattern=r"^boards/[A-Za-z0-9_-]+\.json$")]
    flash: PositiveInt
    ram: PositiveInt
    clock_hz: PositiveInt
    because: Annotated[str, Field(min_length=1)] | None = None
    """Why the board's values are others; given exactly where they are."""
    built: str = ""
    """What a generated project was built with once, by PlatformIO's own scripts, and how far."""
