"""Quantization of a Keras file by TensorFlow Lite's converter, in a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyml_tool.environments.find import FoundPython
from tinyml_tool.environments.run_script import run_script
from tinyml_tool.errors import InputError
from tinyml_tool.quantization.options import QuantizationOptions, Scheme
from tinyml_tool.quantization.samples import Samples

_SCHEMES = (Scheme.INT8, Scheme.INT16X8)


@dataclass(frozen=True)
class TensorflowConverter:
    """A Python that has TensorFlow, and the script to run there."""

    python: FoundPython
    script: Path


def check_tensorflow_options(options: QuantizationOptions) -> None:
    """Raise InputError for schemes and options that this converter does not have."""
    if options.scheme not in _SCHEMES:
        raise InputError(
            f"TensorFlow's converter has no scheme '{options.scheme}'",
            hint=f"use --scheme {' or '.join(_SCHEMES)}, or --backend ai-edge",
        )
    if options.dense_per_tensor:
        raise InputError(
            "TensorFlow's converter chooses the scales of dense weights by itself",
            hint="leave out --dense-per-tensor, or use --backend ai-edge",
        )


def quantize_with_tensorflow(
    source: Path,
    calibration: Samples,
    options: QuantizationOptions,
    converter: TensorflowConverter,
    progress: Callable[[str], None],
) -> tuple[bytes, str]:
    """Quantize the Keras file `source`; the model and the converter's name and version.

    Raises InputError, UnsupportedModelError or ToolMissingError as the script tells, also where it
    crashes.
    """
    check_tensorflow_options(options)
    with tempfile.TemporaryDirectory(prefix="tinyml-quantize-") as folder:
        samples, target = Path(folder) / "samples.npz", Path(folder) / "model.tflite"
        columns = zip(*calibration.vectors, strict=True)
        arrays = {str(place): np.concatenate(column) for place, column in enumerate(columns)}
        np.savez(samples, **arrays)  # type: ignore[arg-type]
        job = {
            "source": str(source.resolve()),
            "target": str(target),
            "data": str(samples),
            "samples": len(calibration),
            "scheme": options.scheme.value,
            "input_type": options.input.value,
            "output_type": options.output.value,
        }
        facts = run_script(converter.python, converter.script, job, progress)
        return target.read_bytes(), facts["converter"]
