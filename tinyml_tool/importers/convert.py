"""From a source in any format to a normal float `.tflite`, compared with its source."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.array_file import INPUT_NAMES, LABEL_NAMES, load_arrays
from tinyml_tool.environments.make import Consent, refuse, require_environment
from tinyml_tool.environments.run_script import run_script
from tinyml_tool.errors import InputError, UnsupportedModelError
from tinyml_tool.graph.model_file import read_file
from tinyml_tool.graph.model_objects import pack, unpack
from tinyml_tool.importers.comparison import DEFAULT_LIMIT, Columns, Comparison, compare_with_source
from tinyml_tool.importers.float_constants import unpack_constants
from tinyml_tool.importers.normalise import NormalModel, normalise
from tinyml_tool.importers.sources import SourceFormat, format_of
from tinyml_tool.reference.litert import LitertReference

COMPARED_SAMPLES = 20


@dataclass(frozen=True)
class ImportRequest:
    """What to import, and what to compare it on."""

    source: str
    shapes: tuple[tuple[int, ...], ...] = ()
    """The inputs', where the source leaves lengths open."""
    data: Path | None = None
    """Real inputs to compare on; without them random ones."""
    samples: int = COMPARED_SAMPLES
    seed: int = 0
    tolerance: float = DEFAULT_LIMIT
    layout: bool = True
    """Whether to make channels the last axis where only a transpose is in the way."""

    @property
    def name(self) -> str:
        """What the model is called."""
        if ":" in self.source and not Path(self.source).exists():
            return self.source.rpartition(":")[2]
        return Path(self.source).stem


@dataclass(frozen=True, eq=False)
class ConvertedModel:
    """A float model, and how it compares with its source."""

    model: NormalModel
    format: str
    converter: str
    comparison: Comparison


def convert(
    request: ImportRequest,
    consent: Consent = refuse,
    progress: Callable[[str], None] = lambda text: None,
) -> ConvertedModel:
    """Convert, normalise and compare.

    Raises InputError for a bad source or bad data, UnsupportedModelError with every layer that
    cannot be converted, ToolMissingError without the libraries that the format needs, MismatchError
    where the result answers differently.
    """
    source = format_of(request.source)
    data = None if request.data is None else _columns(request.data)
    if source is None:
        raw, inputs, outputs = _from_tflite(request, data)
        return _finish(request, "TensorFlow Lite file", "none", raw, inputs, outputs, progress)
    found = require_environment(source.environment, consent, progress)
    with tempfile.TemporaryDirectory(prefix="tinyml-import-") as folder:
        job = _job(request, Path(folder), data)
        facts = run_script(found, source.script, job, progress)
        raw = Path(job["target"]).read_bytes()
        inputs, outputs = _read_comparison(source, Path(job["comparison"]))
    return _finish(request, source.name, facts["converter"], raw, inputs, outputs, progress)


def _finish(
    request: ImportRequest,
    source: str,
    converter: str,
    raw: bytes,
    inputs: Columns,
    outputs: Columns,
    progress: Callable[[str], None],
) -> ConvertedModel:
    progress("fixing shapes and layout")
    shapes = request.shapes if converter == "none" else ()
    model = normalise(raw, request.name, shapes=shapes, layout=request.layout)
    progress(f"comparing with the source on {len(inputs[0])} inputs")
    comparison = compare_with_source(
        model.data,
        model.graph,
        inputs,
        outputs,
        random_inputs=request.data is None,
        limit=request.tolerance,
    )
    return ConvertedModel(model, source, converter, comparison)


def _job(request: ImportRequest, folder: Path, data: Columns | None) -> dict[str, Any]:
    samples = folder / "samples.npz"
    if data is not None:
        first = [column[: request.samples] for column in data]
        arrays: dict[str, Any] = {str(place): column for place, column in enumerate(first)}
        np.savez(samples, **arrays)
    path = Path(request.source)
    return {
        "source": str(path.resolve()) if path.exists() else request.source,
        "folder": str(Path.cwd()),
        "target": str(folder / "model.tflite"),
        "comparison": str(folder / "comparison.npz"),
        "shapes": [list(shape) for shape in request.shapes],
        "data": None if data is None else str(samples),
        "samples": request.samples if data is None else min(request.samples, len(data[0])),
        "seed": request.seed,
    }


def _columns(path: Path) -> Columns:
    """The user's samples, by input."""
    arrays = {name: array for name, array in load_arrays(path).items() if name not in LABEL_NAMES}
    named = next((arrays[name] for name in INPUT_NAMES if name in arrays), None)
    columns: list[NDArray[Any]] = list(arrays.values()) if named is None else [named]
    if not columns or any(column.ndim == 0 or len(column) == 0 for column in columns):
        raise InputError(f"{path.name} holds no samples", hint="name the array of samples `x`")
    if len({len(column) for column in columns}) > 1:
        raise InputError(f"{path.name}: its arrays hold different numbers of samples")
    for column in columns:
        if column.dtype.kind not in "biuf" or not np.isfinite(column).all():
            raise InputError(f"{path.name} holds what are no finite numbers")
    return columns


def _read_comparison(source: SourceFormat, path: Path) -> tuple[Columns, Columns]:
    arrays = load_arrays(path)
    inputs = [arrays[f"in_{i}"] for i in range(len(arrays)) if f"in_{i}" in arrays]
    outputs = [arrays[f"out_{i}"] for i in range(len(arrays)) if f"out_{i}" in arrays]
    if not all(np.isfinite(column).all() for column in outputs):
        raise UnsupportedModelError(
            f"the {source.name} answers NaN or infinity to the inputs it is compared on",
            hint="give real inputs with --data FILE.npz",
        )
    return inputs, outputs


def _from_tflite(request: ImportRequest, data: Columns | None) -> tuple[bytes, Columns, Columns]:
    """A `.tflite` is its own source: run as it is, with its open lengths fixed.

    Where it stores weights as integers, they are made float32 first: LiteRT would round the
    activations of such layers, which is not what the float network computes.
    """
    raw = read_file(Path(request.source))
    plain = normalise(raw, request.name, shapes=request.shapes, layout=False)
    shapes = [plain.graph.tensor(index).shape for index in plain.graph.inputs]
    if data is None:
        random = np.random.default_rng(request.seed)
        inputs: Columns = [
            random.standard_normal((request.samples, *shape)).astype(np.float32) for shape in shapes
        ]
    else:
        inputs = [_fitted(*pair, request.samples) for pair in zip(data, shapes, strict=True)]
    reference = LitertReference(_in_floats(raw, request.name), request.name, shapes)
    answers = [
        [np.array(one) for one in reference.run([column[i] for column in inputs])]
        for i in range(len(inputs[0]))
    ]
    return raw, inputs, [np.stack(column) for column in zip(*answers, strict=True)]


def _in_floats(raw: bytes, name: str) -> bytes:
    model = unpack(raw, name)
    return pack(model) if unpack_constants(model) else raw


def _fitted(column: NDArray[Any], shape: tuple[int, ...], count: int) -> NDArray[np.float32]:
    if int(np.prod(column.shape[1:])) != int(np.prod(shape)):
        found, wanted = ("x".join(map(str, s)) for s in (column.shape[1:], shape))
        raise InputError(f"a sample has shape {found}, the model takes {wanted}")
    return column[:count].astype(np.float32).reshape(-1, *shape)
