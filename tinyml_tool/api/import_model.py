"""`import`: from any format to a float `.tflite` that can be quantized and deployed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyml_tool.api.generate import Progress, no_progress
from tinyml_tool.compiler.lowering import LOWERINGS
from tinyml_tool.compiler.tflm_plan import tflm_problems
from tinyml_tool.environments.make import Consent, refuse
from tinyml_tool.graph.measure import total_macs
from tinyml_tool.graph.problem import layer_name
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import Graph
from tinyml_tool.importers.comparison import DEFAULT_LIMIT, Comparison
from tinyml_tool.importers.convert import COMPARED_SAMPLES, ImportRequest, convert
from tinyml_tool.output_file import check_output_file, write_output_file


@dataclass(frozen=True, eq=False)
class Imported:
    """A float model, what was changed, and how far it is from its source."""

    data: bytes
    graph: Graph
    format: str
    converter: str
    changes: tuple[str, ...]
    comparison: Comparison
    problems: dict[str, tuple[str, ...]]
    """By engine, the layers that it has no kernels for; empty where it has all."""

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {
            "name": self.graph.name,
            "model_hash": self.graph.model_hash,
            "format": self.format,
            "converter": self.converter,
            "bytes": len(self.data),
            "macs": total_macs(self.graph),
            "inputs": [_port(self.graph, index) for index in self.graph.inputs],
            "outputs": [_port(self.graph, index) for index in self.graph.outputs],
            "changes": list(self.changes),
            "comparison": {**asdict(self.comparison), "relative": self.comparison.relative},
            "problems": {engine: list(found) for engine, found in self.problems.items()},
        }


def import_model(
    source: str | Path,
    *,
    output: str | Path | None = None,
    data: str | Path | None = None,
    shapes: Sequence[Sequence[int]] = (),
    samples: int = COMPARED_SAMPLES,
    seed: int = 0,
    tolerance: float = DEFAULT_LIMIT,
    layout: bool = True,
    consent: Consent = refuse,
    force: bool = False,
    progress: Progress = no_progress,
) -> Imported:
    """Convert `source` to a float `.tflite` of batch 1, static shapes and channels last.

    `source` is a `.keras`, `.h5`, `.tflite`, `.onnx` or `.pt2` file, the folder of a SavedModel, or
    `module:function` that returns a PyTorch model and its example input.  Libraries that the format
    needs are installed into the user's cache if `consent` allows it.  The result is compared with
    the source on `data` (`.npz`), else on random inputs; writes `output` where it is given.

    Raises InputError, UnsupportedModelError with every layer that is in the way, ToolMissingError
    with what to install, MismatchError beyond `tolerance`.
    """
    target = None if output is None else Path(output)
    if target is not None:
        check_output_file(target, force=force)
    request = ImportRequest(
        source=str(source),
        shapes=tuple(tuple(int(length) for length in shape) for shape in shapes),
        data=None if data is None else Path(data),
        samples=samples,
        seed=seed,
        tolerance=tolerance,
        layout=layout,
    )
    converted = convert(request, consent, progress)
    name = converted.model.graph.name
    content = converted.model.told(converted.model.data)
    graph = parse_model(content, name)
    if target is not None:
        write_output_file(target, content, force=force)
    return Imported(
        data=content,
        graph=graph,
        format=converted.format,
        converter=converted.converter,
        changes=converted.model.changes,
        comparison=converted.comparison,
        problems={
            "aot": tuple(layer_name(op) for op in graph.operators if op.kind not in LOWERINGS),
            "tflm": tuple(map(str, tflm_problems(graph))),
        },
    )


def _port(graph: Graph, index: int) -> dict[str, Any]:
    tensor = graph.tensor(index)
    return {"name": tensor.name, "type": tensor.dtype.value, "shape": list(tensor.shape)}
