"""Specs that together use every block, samples that stress them, and firmware for both."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from model_builder import ModelBuilder
from numpy.typing import NDArray
from shared import shared_sample

from tinyml_tool.api.project import open_project
from tinyml_tool.api.session import Session, open_session
from tinyml_tool.boards import load_board
from tinyml_tool.compiler.compile import compile_graph
from tinyml_tool.compiler.target import Target
from tinyml_tool.firmware.project import project_files, write_project
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.preprocess.model_plan import plan_for_model
from tinyml_tool.preprocess.plan import ValueFormat
from tinyml_tool.preprocess.spec import FeatureSpec, parse_features
from tinyml_tool.toolchain.build import build_project

CORES = ("qemu-m0", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55")
SCALE, ZERO_POINT = 0.0625, -7
FORMAT = ValueFormat("int8", SCALE, ZERO_POINT)
STATISTICS = (
    *("mean", "std", "rms", "min", "max", "peak_to_peak", "mean_abs", "zero_crossings", "peaks"),
    *("band_power", "peak_hz", "peak_power"),
)

_IMAGE = {"kind": "image", "source_width": 32, "source_height": 24, "width": 12, "height": 10}

TABLES: dict[str, dict[str, Any]] = {
    "kws": {"preset": "kws"},
    "micro_speech": {"preset": "micro_speech", "frames": 8, "output_scale": 0.02},
    "mel": {"kind": "audio", "output": "mel", "frames": 8, "high_hz": 7600.0, "low_hz": 80.0},
    "decibel": {
        **{"kind": "audio", "sample_rate": 8000, "output": "mel", "window": "hamming"},
        **{"frames": 8, "log": "decibel", "log_offset": 1e-10, "mean": -60.0, "std": 20.0},
    },
    "spectrogram": {
        **{"kind": "audio", "output": "spectrogram", "window_ms": 8.0, "stride_ms": 10.0},
        **{"frames": 8, "every": 3, "window": "rectangular"},
    },
    "ortho": {
        **{"kind": "audio", "sample_rate": 11025, "window_ms": 25.0, "stride_ms": 10.0},
        **{"output": "mfcc", "dct": "ortho", "frames": 30, "coefficients": 13, "bands": 24},
        **{"high_hz": 5500.0},
    },
    "micro_plain": {
        **{"kind": "micro_audio", "window_ms": 16.0, "frames": 8, "bands": 24, "log": False},
        **{"noise_reduction": {"smoothing_bits": 8}, "output_scale": 0.001},
    },
    "area": {**_IMAGE, "std": [16.0]},
    "nearest": {**_IMAGE, "resize": "nearest", "mirror": "horizontal", "std": [16.0]},
    "bilinear": {
        **_IMAGE,
        **{"resize": "bilinear", "format": "rgb565", "colour": "rgb", "rotate": 90},
        **{"mean": [128.0, 120.0, 110.0], "std": [16.0, 20.0, 24.0]},
    },
    "smooth": {**_IMAGE, "resize": "smooth", "format": "yuyv", "colour": "rgb", "std": [20.0]},
    "bayer": {
        **_IMAGE,
        **{"format": "bayer_grbg", "colour": "rgb", "rotate": 270, "mirror": "vertical"},
        **{"crop": {"x": 4, "y": 2, "width": 26, "height": 20}, "std": [20.0], "resize": "area"},
    },
    "rgb": {**_IMAGE, "format": "rgb888", "rotate": 180, "resize": "bilinear", "std": [20.0]},
    "window": {
        **{"kind": "series", "channels": 6, "rate": 100, "window": 40, "stride": 10},
        **{"filters": [{"kind": "lowpass", "hz": 20.0, "order": 4}, {"kind": "notch", "hz": 30.0}]},
        **{"resample": 64, "mean": [0.1] * 6, "std": [1.0, 2.0, 1.0, 1.0, 1.0, 0.5]},
    },
    "delta": {
        **{"kind": "series", "channels": 3, "rate": 50, "window": 30, "stride": 45},
        **{"sample": "int16", "scale": 0.0005, "delta": True},
        **{"filters": [{"kind": "highpass", "hz": 1.0}, {"kind": "bandpass", "hz": 5.0}]},
    },
    "summary": {
        **{"kind": "series", "channels": 3, "rate": 100, "window": 50, "stride": 20},
        **{"summary": list(STATISTICS), "bands_hz": [0.0, 5.0, 10.0, 50.0], "log_offset": 1e-6},
        **{"std": [4.0], "resample": 120},
    },
}


def spec_of(name: str) -> FeatureSpec:
    return parse_features(TABLES[name], name)


def clip(name: str) -> NDArray[np.int16]:
    """A sample of speech or noise, one second at 16 kHz."""
    with wave.open(str(shared_sample(f"{name}_1000ms.wav"))) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def sound_extremes(seed: int, seconds: float) -> NDArray[np.int16]:
    """Silence, full scale of both signs, squares, single pulses, faint and loud noise, a sweep."""
    chance = np.random.default_rng(seed)
    n = int(seconds * 16_000 / 8)
    time = np.arange(n)
    pulses = np.zeros(n)
    pulses[::701] = 32767
    parts = [
        np.zeros(n),
        np.full(n, 32767),
        np.full(n, -32768),
        np.where(time % 16 < 8, 32767, -32768),
        pulses,
        chance.standard_normal(n) * 2,
        chance.integers(-32768, 32768, n),
        32000 * np.sin(time**2 / (n * 0.7)),
    ]
    return np.concatenate(parts).round().astype(np.int16)


def raw_samples(name: str, seed: int = 1, amount: float = 1.0) -> NDArray[Any]:
    """Hard samples for a spec of TABLES; more with a larger `amount`."""
    spec, chance = spec_of(name), np.random.default_rng(seed)
    kind = TABLES[name].get("kind")
    if kind == "image":
        size = 32 * 24 * (spec.row_bytes // 32)  # type: ignore[union-attr]
        flat = [np.full(size, value) for value in (0, 255, 1, 128)]
        noise = [chance.integers(0, 256, size) for _ in range(int(12 * amount))]
        return np.concatenate([*flat, *noise]).astype(np.uint8)
    if kind == "series":
        rows = int(2500 * amount)
        values = chance.standard_normal((rows, spec.channels)) * 3  # type: ignore[union-attr]
        values[: rows // 5] = 0
        values[rows // 5 : rows // 4] = 12.5
        values[rows // 4 : rows // 3] *= 1e-20
        values[rows // 3 : rows // 2] *= 1e4
        scaled = values if TABLES[name].get("sample") != "int16" else values * 1000
        limited = np.clip(scaled, -32768, 32767) if scaled is not values else values
        return limited.reshape(-1).astype(TABLES[name].get("sample", "float32"))
    return sound_extremes(seed, 4 * amount)


def model_for(spec: FeatureSpec, dtype: str = "int8") -> bytes:
    """A model with one layer: a ReLU of int8 features, or what makes int8 of float32 ones."""
    shape = (1, *spec.shape)
    builder = ModelBuilder()
    quantization = {"scale": SCALE, "zero_point": ZERO_POINT}
    is_real = dtype == "float32"
    x = builder.input(dtype, shape, name="features", **({} if is_real else quantization))
    y = builder.tensor("int8", shape, name="y", **quantization)
    builder.operator("QUANTIZE" if is_real else "RELU", [x], y)
    return builder.build([y])


def feature_project(folder: Path, spec: FeatureSpec, board: str, dtype: str = "int8") -> Path:
    """The generated project of `model_for(spec, dtype)`."""
    model = model_for(spec, dtype)
    graph = parse_model(model, "case")
    chosen = load_board(board)
    files = project_files(
        compile_graph(graph, Target(chosen.core)),
        chosen,
        name="case",
        model=model,
        features=plan_for_model(spec, graph),
    )
    write_project(folder, files)
    return folder


@contextmanager
def feature_device(
    folder: Path, spec: FeatureSpec, board: str, dtype: str = "int8"
) -> Iterator[Session]:
    """The firmware of a spec, built and running in the emulator."""
    project = open_project(feature_project(folder, spec, board, dtype))
    firmware = build_project(project.folder, project.board, "cmake")
    with open_session(project, elf=lambda: firmware.elf) as session:
        yield session
