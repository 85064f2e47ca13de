"""The source of raw samples: which sensor a firmware reads, and how it is set, read strictly."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.strict import Strict
from tinyml_tool.strict_toml import validate

Rate = Annotated[int, Field(ge=1, le=1_000_000)]
BufferMs = Annotated[int, Field(ge=20, le=2_000)]
Gpio = Annotated[int, Field(ge=0, le=63)]


class ReplaySource(Strict):
    """`kind = "replay"`: a recording, which an emulated board reads from the computer."""

    kind: Literal["replay"] = "replay"
    file: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[ !#-\[\]-~]+$")] = (
        "samples.raw"
    )
    """Raw samples as the features take them, little-endian; relative to the emulator's folder."""


class PdmSource(Strict):
    """`kind = "pdm"`: a PDM microphone through the framework's library."""

    kind: Literal["pdm"] = "pdm"
    rate: Rate | None = None
    """Samples a second; by default what the features take."""
    gain: Annotated[int, Field(ge=-12, le=80)] | None = None
    """Of the library, in its own units; by default the library's."""
    buffer_ms: BufferMs = 250
    """Sound that is kept while the model runs."""


class I2sSource(Strict):
    """`kind = "i2s"`: an I2S microphone at an ESP32, one channel, 24 bits in 32."""

    kind: Literal["i2s"] = "i2s"
    rate: Rate | None = None
    bclk: Gpio | None = None
    ws: Gpio | None = None
    data: Gpio | None = None
    """Pins; by default the board's."""
    shift: Annotated[int, Field(ge=8, le=16)] = 16
    """Bits that a word of 32 loses at its low end; each one less doubles the sound, saturated."""
    buffer_ms: BufferMs = 250


class MotionSource(Strict):
    """What both motion sensors have in common."""

    rate: Rate | None = None
    axes: Literal["accelerometer", "gyroscope", "both"] | None = None
    """x, y and z of one, or of the accelerometer and then the gyroscope; by default the one that
    3 channels of the features mean, or the both of 6."""
    units: Literal["raw", "g", "si"] | None = None
    """raw: the sensor's 16 bits; g: g and degrees a second; si: m/s^2 and radians a second.
    By default raw for int16 samples and g for float32."""

    @property
    def channels(self) -> int:
        """Values at one time, where `axes` tells."""
        return 6 if self.axes == "both" else 3


class Lsm9ds1Source(MotionSource):
    """`kind = "lsm9ds1"`: accelerometer and gyroscope LSM9DS1 on I2C."""

    kind: Literal["lsm9ds1"] = "lsm9ds1"
    range_g: Literal[2, 4, 8, 16] = 4
    """Largest acceleration."""
    range_dps: Literal[245, 500, 2000] = 2000
    """Largest rotation, degrees a second."""


class Lsm6dslSource(MotionSource):
    """`kind = "lsm6dsl"`: accelerometer and gyroscope LSM6DSL on I2C."""

    kind: Literal["lsm6dsl"] = "lsm6dsl"
    range_g: Literal[2, 4, 8, 16] = 4
    range_dps: Literal[245, 500, 1000, 2000] = 2000


class CameraSource(Strict):
    """`kind = "camera"`: size and format of its pictures are those that the features take."""

    kind: Literal["camera"] = "camera"
    fps: Literal[1, 5] = 5
    """Pictures a second of an OV767X; an ESP32 gives one when the model has done the last."""


SourceSpec: TypeAlias = (
    ReplaySource | PdmSource | I2sSource | Lsm9ds1Source | Lsm6dslSource | CameraSource
)

KINDS: dict[str, type[SourceSpec]] = {
    "pdm": PdmSource,
    "i2s": I2sSource,
    "lsm9ds1": Lsm9ds1Source,
    "lsm6dsl": Lsm6dslSource,
    "camera": CameraSource,
    "replay": ReplaySource,
}


class _Kind(Strict):
    """The one key that all tables have."""

    kind: str

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.kind not in KINDS:
            near = difflib.get_close_matches(self.kind, KINDS, n=1)
            hint = f", did you mean '{near[0]}'?" if near else ""
            raise ValueError(f"unknown kind '{self.kind}'{hint} (one of: {', '.join(KINDS)})")
        return self


def parse_source(values: Mapping[str, Any], source: str) -> SourceSpec:
    """The spec that a table `[source]` of `source` means.

    Raises ConfigError that lists every wrong key and value.
    """
    if "kind" not in values:
        raise ConfigError(f"{source}: 'kind' is missing", hint=f"one of: {', '.join(KINDS)}")
    kind = validate(_Kind, {"kind": values["kind"]}, source).kind
    return validate(KINDS[kind], values, source)
