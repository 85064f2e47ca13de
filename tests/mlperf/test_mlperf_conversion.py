"""The model's input, bit for bit: what the firmware makes of the runner's data."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from link_device import WARNINGS
from mlperf_firmware import write_mlperf_project
from model_builder import ModelBuilder

from tinyml_tool.config import MlperfBenchmark
from tinyml_tool.firmware.mlperf_files import BENCHMARKS
from tinyml_tool.reference.tflm import TflmReference

PROGRAM = Path(__file__).parent / "conversion_program.c"
VALUES = BENCHMARKS["ad01"].inputs


def convert(folder: Path, benchmark: MlperfBenchmark, data: bytes, *quantization: float) -> bytes:
    """The bytes that reach the model, of data for one inference or several."""
    library = write_mlperf_project(folder / "project", benchmark) / "lib"
    sources = [PROGRAM, library / "mlperf" / "tinyml_mlperf_data.c"]
    sources += sorted((library / "kernels").glob("quantize_f32.c"))
    includes = [f"-I{library / name}" for name in ("mlperf", "link", "model", "kernels")]
    program = folder / "convert"
    flags = ["-std=c11", "-O1", "-ffp-contract=off", "-fsanitize=address,undefined", *WARNINGS]
    subprocess.run(["gcc", *flags, *includes, "-o", program, *sources], check=True)
    start = np.array(quantization or (1, 0), "<f4").tobytes()
    result = subprocess.run([program], input=start + data, capture_output=True, check=True)
    return result.stdout


def quantized_by_the_reference(values: np.ndarray, scale: float, zero_point: int) -> bytes:
    """What TFLM's QUANTIZE makes of float32."""
    builder = ModelBuilder()
    x = builder.input("float32", values.shape, name="x")
    y = builder.tensor("int8", values.shape, scale=scale, zero_point=zero_point, name="y")
    builder.operator("QUANTIZE", [x], y)
    (stored,) = TflmReference(builder.build([y]), "quantize").run([values])
    assert stored.dtype == np.int8
    return bytes(stored.tobytes())


@pytest.mark.parametrize("benchmark", ["vww01", "ic01"])
def test_every_uint8_becomes_the_int8_that_is_128_less(
    benchmark: MlperfBenchmark, tmp_path: Path
) -> None:
    data = np.resize(np.arange(256, dtype=np.uint8), BENCHMARKS[benchmark].data_bytes)
    expected = (data.astype(np.int16) - 128).astype(np.int8)
    assert convert(tmp_path, benchmark, data.tobytes()) == expected.tobytes()


def test_every_int8_stays_as_it_is(tmp_path: Path) -> None:
    data = np.resize(np.arange(256, dtype=np.uint8), BENCHMARKS["kws01"].data_bytes).tobytes()
    assert convert(tmp_path, "kws01", data) == data


@pytest.mark.parametrize(
    ("scale", "zero_point"),
    [(0.3910152316093445, 89), (0.5, -3), (1 / 3, 0), (1e-30, 5), (3e38, -128), (0.1, 127)],
)
def test_float32_is_quantized_as_the_reference_does(
    scale: float, zero_point: int, tmp_path: Path
) -> None:
    """The scale of the benchmark's model, and others; values at and beside every rounding edge.

    Beyond the steps that 32 bits hold the reference is undefined, and the firmware clamps.
    """
    scale = float(np.float32(scale))
    chance = np.random.default_rng(zero_point & 0xFF)
    with np.errstate(over="ignore"):
        edges = ((np.arange(-320, 320) + 0.5) * scale).astype(np.float32)
        rows = [
            edges,
            np.nextafter(edges, np.float32(np.inf)),
            np.nextafter(edges, np.float32(-np.inf)),
            (np.arange(-320, 320) * scale).astype(np.float32),
            chance.normal(0, 200 * scale, VALUES).astype(np.float32),
        ]
        small_and_large = [0.0, -0.0, 1e-45, -1e-45, 1e-38, 2e9 * scale, -2e9 * scale]
        rows.append(np.resize(np.array(small_and_large, np.float32), VALUES))
    for row in rows:
        row[~np.isfinite(row)] = 0
    values = np.array(rows)
    expected = b"".join(
        quantized_by_the_reference(row[np.newaxis], scale, zero_point) for row in values
    )
    found = convert(tmp_path, "ad01", values.astype("<f4").tobytes(), scale, zero_point)
    wrong = np.flatnonzero(np.frombuffer(found, np.int8) != np.frombuffer(expected, np.int8))
    assert found == expected, [(values.flat[i], found[i], expected[i]) for i in wrong[:5]]
