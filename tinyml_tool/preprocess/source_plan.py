"""What of the C is needed for a source: it must give just what the features take."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinyml_tool.boards import Board
from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.audio_spec import AudioSpec
from tinyml_tool.preprocess.image_spec import ImageSpec
from tinyml_tool.preprocess.micro_audio_spec import MicroAudioSpec
from tinyml_tool.preprocess.motion_registers import MOTION_SENSORS, STANDARD_GRAVITY
from tinyml_tool.preprocess.plan import FeaturePlan
from tinyml_tool.preprocess.series_spec import SeriesSpec
from tinyml_tool.preprocess.source_spec import (
    CameraSource,
    I2sSource,
    Lsm6dslSource,
    Lsm9ds1Source,
    PdmSource,
    ReplaySource,
    SourceSpec,
)

OV767X_LIBRARY = "arduino-libraries/Arduino_OV767X @ 0.0.2"
DMA_SAMPLES = 256
"""Of one buffer of the I2S driver."""
PDM_BLOCK_SAMPLES = 256
"""What the callback of the PDM library reads at once."""
READ_BYTES = 256
"""What the application reads from a source at once."""
STATE_BYTES = 40
"""What the application remembers of a source, and a driver of its sensor, at most."""
WORD_BYTES = 4
"""Of a sample as I2S carries it."""
REPLAY = "source_replay.c"
_OV767X_SIZES = {(320, 240): "QVGA", (176, 144): "QCIF", (160, 120): "QQVGA"}
_OV767X_FORMATS = {"grey8": ("GRAYSCALE", 1), "rgb565be": ("RGB565", 2), "yuyv": ("YUV422", 2)}
_ESP32_SIZES = {
    (96, 96): "FRAMESIZE_96X96",
    (160, 120): "FRAMESIZE_QQVGA",
    (176, 144): "FRAMESIZE_QCIF",
    (240, 176): "FRAMESIZE_HQVGA",
    (240, 240): "FRAMESIZE_240X240",
    (320, 240): "FRAMESIZE_QVGA",
}
_ESP32_FORMATS = {
    "grey8": "PIXFORMAT_GRAYSCALE",
    "rgb565be": "PIXFORMAT_RGB565",
    "yuyv": "PIXFORMAT_YUV422",
}


@dataclass(frozen=True)
class Constant:
    """A macro of the source's configuration."""

    name: str
    value: str
    comment: str


@dataclass(frozen=True)
class SourcePlan:
    """A source on a board, as the C that reads it."""

    spec: SourceSpec
    comment: str
    files: tuple[str, ...]
    """Names below `firmware_templates/sensors/`, beside those that every source has."""
    constants: tuple[Constant, ...] = ()
    channels: int = 1
    """Values at one time, which stay together."""
    own_bytes: int = 0
    """Static RAM of the driver itself."""
    library: str | None = None
    """What PlatformIO must fetch for it beside the framework."""

    @property
    def ram_bytes(self) -> int:
        """Static RAM: the driver's, and the samples the application has read."""
        return self.own_bytes + READ_BYTES + STATE_BYTES


def plan_source(spec: SourceSpec, features: FeaturePlan | None, board: Board) -> SourcePlan:
    """The plan of a source for the features of a model on a board.

    Raises ConfigError where the board has no such source, or where it does not give what the
    features take: the message names both.
    """
    _check_board(spec, board)
    if features is None:
        raise ConfigError(
            f"[source] kind = '{spec.kind}' reads raw samples, but the model has no [features]",
            hint="write [features] that make the model's input of them",
        )
    taken = features.spec
    if isinstance(spec, ReplaySource):
        return _replay(spec, taken.channels if isinstance(taken, SeriesSpec) else 1)
    if isinstance(spec, PdmSource | I2sSource):
        if not isinstance(taken, AudioSpec | MicroAudioSpec):
            raise _other_kind(spec, "sound", taken.kind)
        if isinstance(spec, PdmSource):
            return _pdm(spec, taken, board)
        return _i2s(spec, taken, board)
    if isinstance(spec, CameraSource):
        if not isinstance(taken, ImageSpec):
            raise _other_kind(spec, "pictures", taken.kind)
        return _camera(spec, taken, board)
    if not isinstance(taken, SeriesSpec):
        raise _other_kind(spec, "motion", taken.kind)
    return _motion(spec, taken, board)


def _check_board(spec: SourceSpec, board: Board) -> None:
    if spec.kind in board.source_kinds:
        return
    there = ", ".join(board.source_kinds)
    raise ConfigError(
        f"board '{board.id}' has no source '{spec.kind}'"
        + (f"; it has {there}" if there else ": its file names none"),
        hint="`tinyml boards show BOARD` tells the sources of a board"
        if spec.kind != "replay"
        else "a recording reaches a real board over the link: `tinyml run --input FILE --port ...`",
    )


def _other_kind(spec: SourceSpec, gives: str, takes: str) -> ConfigError:
    return ConfigError(
        f"[source] kind = '{spec.kind}' gives {gives}, but [features] are of kind '{takes}'",
        hint="choose the source that the model was trained for",
    )


def _rate(spec: PdmSource | I2sSource | Lsm9ds1Source | Lsm6dslSource, taken: int) -> int:
    if spec.rate not in (None, taken):
        raise ConfigError(
            f"[source] rate = {spec.rate}, but [features] take {taken} samples a second",
            hint="leave [source] rate out: it is what the features take",
        )
    return taken


def _offered(kind: str, rate: int, rates: tuple[int, ...], hint: str) -> None:
    if rate not in rates:
        listed = ", ".join(map(str, rates))
        raise ConfigError(
            f"[source] kind = '{kind}' gives {listed} samples a second, but [features] take {rate}",
            hint=hint,
        )


def _replay(spec: ReplaySource, channels: int) -> SourcePlan:
    return SourcePlan(
        spec,
        f"A recording: {spec.file}, read through the emulator.",
        (REPLAY,),
        (_file(spec.file),),
        channels,
    )


def _file(name: str) -> Constant:
    return Constant("SOURCE_FILE", f'"{name}"', "What the emulator replays in the sensor's place.")


def _with_replay(*constants: Constant) -> tuple[Constant, ...]:
    """Constants of a real board's source: its emulated stand-in replays a recording."""
    return (*constants, _file(ReplaySource().file))


def _pdm(spec: PdmSource, taken: AudioSpec | MicroAudioSpec, board: Board) -> SourcePlan:
    assert board.sources is not None
    assert board.sources.pdm is not None
    rate = _rate(spec, taken.sample_rate)
    hint = "train with features of a rate that the microphone has"
    _offered("pdm", rate, board.sources.pdm.rates, hint)
    samples = 1 << (math.ceil(rate * spec.buffer_ms / 1000) - 1).bit_length()
    gain = (Constant("SOURCE_GAIN", str(spec.gain), "As the library counts it."),)
    return SourcePlan(
        spec,
        f"PDM microphone at {rate:,} Hz: {board.sources.pdm.wire}.",
        (REPLAY, "source_pdm.cpp"),
        _with_replay(
            Constant("SOURCE_RATE", str(rate), "Samples a second."),
            Constant("SOURCE_RING_SAMPLES", str(samples), "Kept while the model runs."),
            *(gain if spec.gain is not None else ()),
        ),
        own_bytes=2 * samples + 2 * PDM_BLOCK_SAMPLES,
    )


def _i2s(spec: I2sSource, taken: AudioSpec | MicroAudioSpec, board: Board) -> SourcePlan:
    assert board.sources is not None
    assert board.sources.i2s is not None
    usual = board.sources.i2s
    rate = _rate(spec, taken.sample_rate)
    pins = {
        name: getattr(usual, name) if getattr(spec, name) is None else getattr(spec, name)
        for name in ("bclk", "ws", "data")
    }
    if len(set(pins.values())) != len(pins):
        told = ", ".join(f"{name} = {pin}" for name, pin in pins.items())
        raise ConfigError(f"[source] kind = 'i2s': two of its pins are the same: {told}")
    buffers = min(128, max(2, math.ceil(rate * spec.buffer_ms / 1000 / DMA_SAMPLES)))
    return SourcePlan(
        spec,
        f"I2S microphone at {rate:,} Hz: "
        + ", ".join(f"{name.upper()} at GPIO{pin}" for name, pin in pins.items())
        + ".",
        (REPLAY, "source_i2s.cpp"),
        _with_replay(
            Constant("SOURCE_RATE", str(rate), "Samples a second."),
            *(Constant(f"SOURCE_PIN_{n.upper()}", str(pin), "GPIO.") for n, pin in pins.items()),
            Constant("SOURCE_SHIFT", str(spec.shift), "Low bits that a word of 32 loses."),
            Constant("SOURCE_DMA_BUFFERS", str(buffers), "Kept while the model runs: so many"),
            Constant("SOURCE_DMA_SAMPLES", str(DMA_SAMPLES), "of so many samples."),
        ),
        own_bytes=WORD_BYTES * READ_BYTES // 2,
    )


def _motion(spec: Lsm9ds1Source | Lsm6dslSource, taken: SeriesSpec, board: Board) -> SourcePlan:
    assert board.sources is not None
    place = getattr(board.sources, spec.kind)
    sensor = MOTION_SENSORS[spec.kind]
    rate = _rate(spec, taken.rate)
    nearest = min(sensor.rates, key=lambda offered: abs(offered - rate))
    _offered(
        spec.kind,
        rate,
        tuple(sensor.rates),
        f"train with rate = {nearest} and, if it must be {rate}, resample = {rate}",
    )
    axes = _axes(spec, taken)
    units = _units(spec, taken)
    acceleration, g = sensor.accelerations[spec.range_g]
    rotation, dps = sensor.rotations[spec.range_dps]
    if units == "si":
        g, dps = g * STANDARD_GRAVITY, math.radians(dps)
    names = {"raw": "steps", "g": "g and degrees a second", "si": "m/s^2 and radians a second"}
    return SourcePlan(
        spec,
        f"{spec.kind.upper()} at {rate} Hz, {axes}, in {names[units]}: {place.wire}.",
        (REPLAY, f"source_{spec.kind}.c", "i2c_wire.cpp", "tinyml_i2c.h", "motion_sample.h"),
        _with_replay(
            Constant("SOURCE_ADDRESS", f"0x{place.address:02X}u", "On the I2C bus."),
            Constant("SOURCE_I2C", place.bus, "The framework's object for that bus."),
            *(Constant("SOURCE_I2C_SDA", place.sda, "Its pins.") for _ in (1,) if place.sda),
            *(Constant("SOURCE_I2C_SCL", place.scl, "") for _ in (1,) if place.scl),
            Constant("SOURCE_RATE_CODE", f"{sensor.rates[rate]}u", f"{rate} Hz."),
            Constant("SOURCE_ACCELEROMETER", str(int(axes != "gyroscope")), "Whether it is read."),
            Constant("SOURCE_GYROSCOPE", str(int(axes != "accelerometer")), "Whether it is read."),
            Constant("SOURCE_ACCELERATION_CODE", f"{acceleration}u", f"{spec.range_g} g."),
            Constant("SOURCE_ROTATION_CODE", f"{rotation}u", f"{spec.range_dps} degrees a second."),
            *_steps(units, g, dps),
        ),
        taken.channels,
    )


def _steps(units: str, acceleration: float, rotation: float) -> tuple[Constant, ...]:
    """What a step of the 16 bits means, in single precision, unless samples are the steps."""
    if units == "raw":
        return ()
    return (
        Constant("SOURCE_ACCELERATION_STEP", _single(acceleration), "What a step means."),
        Constant("SOURCE_ROTATION_STEP", _single(rotation), ""),
    )


def _single(value: float) -> str:
    return f"{float(np.float32(value)):.9g}f"


def _axes(spec: Lsm9ds1Source | Lsm6dslSource, taken: SeriesSpec) -> str:
    axes = spec.axes or ("both" if taken.channels == 6 else "accelerometer")
    given = 6 if axes == "both" else 3
    if given != taken.channels:
        raise ConfigError(
            f"[source] kind = '{spec.kind}' gives {given} channels ({axes}), but [features] take "
            f"{taken.channels}",
            hint="axes = 'accelerometer' or 'gyroscope' gives 3, 'both' gives 6",
        )
    return axes


def _units(spec: Lsm9ds1Source | Lsm6dslSource, taken: SeriesSpec) -> str:
    units = spec.units or ("raw" if taken.sample == "int16" else "g")
    if (units == "raw") != (taken.sample == "int16"):
        given = "int16" if units == "raw" else "float32"
        raise ConfigError(
            f"[source] units = '{units}' are {given} samples, but [features] take {taken.sample}",
            hint="units = 'raw' for int16; 'g' or 'si' for float32",
        )
    return units


def _camera(spec: CameraSource, taken: ImageSpec, board: Board) -> SourcePlan:
    assert board.sources is not None
    assert board.sources.camera is not None
    place = board.sources.camera
    is_ov767x = place.driver == "ov767x"
    size = (taken.source_width, taken.source_height)
    sizes = _OV767X_SIZES if is_ov767x else _ESP32_SIZES
    formats = list(_OV767X_FORMATS if is_ov767x else _ESP32_FORMATS)
    if size not in sizes:
        listed = ", ".join(f"{width} x {height}" for width, height in sizes)
        raise ConfigError(
            f"[source] kind = 'camera' gives pictures of {listed} on {board.id}, but [features] "
            f"take {size[0]} x {size[1]}",
            hint="set source_width and source_height, and crop",
        )
    if taken.format not in formats:
        raise ConfigError(
            f"[source] kind = 'camera' gives {', '.join(formats)} on {board.id}, but [features] "
            f"take {taken.format}",
            hint="set [features] format",
        )
    bytes_of_picture = taken.row_bytes * taken.source_height
    pixels = _OV767X_FORMATS[taken.format][0] if is_ov767x else _ESP32_FORMATS[taken.format]
    return SourcePlan(
        spec,
        f"Camera, {size[0]} x {size[1]} {taken.format}: {place.wire}.",
        (REPLAY, f"source_camera_{place.driver}.cpp"),
        _with_replay(
            Constant("SOURCE_FRAME_SIZE", sizes[size], "As the library calls it."),
            Constant("SOURCE_PIXELS", pixels, "As the library calls it."),
            Constant("SOURCE_FRAME_BYTES", str(bytes_of_picture), "Of one picture."),
            *(
                (Constant("SOURCE_FRAMES_A_SECOND", str(spec.fps), "Of the camera."),)
                if is_ov767x
                else ()
            ),
        ),
        own_bytes=bytes_of_picture if is_ov767x else 0,
        library=OV767X_LIBRARY if is_ov767x else None,
    )
