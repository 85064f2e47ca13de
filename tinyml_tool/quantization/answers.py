"""What the model as a whole answers, before and after quantization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.graph.types import DType, Graph
from tinyml_tool.quantization.anomaly import area_under_roc, rebuild_errors
from tinyml_tool.quantization.noise import dequantize, fit_inputs, ratio_db
from tinyml_tool.quantization.samples import Samples
from tinyml_tool.reference.reference import LayerRunner


@dataclass(frozen=True)
class Saturation:
    """Values of an input or output that the quantized type cannot reach, on all samples."""

    port: str
    """Such as "input 0" or "output 0"."""
    low: float
    high: float
    """The range that the type can represent."""
    share: float
    """Values outside it, 0 to 1, counted from half a step beyond the end."""


@dataclass(frozen=True)
class Answers:
    """Both models on the same samples."""

    samples: int
    accuracy_before: float | None
    accuracy_after: float | None
    """Shares of right classes, 0 to 1; None without labels or without classes."""
    agreement: float | None
    """Share of samples to which both give the same class; None without classes."""
    auc_before: float | None
    auc_after: float | None
    """Of models whose output has the size of their input, on labelled samples: how well the error
    tells anomalies from normal samples."""
    output_sqnr_db: float
    largest_difference: float
    """Between any two values of the first outputs, dequantized."""
    saturation: tuple[Saturation, ...]


def compare_answers(
    before: tuple[Graph, LayerRunner],
    after: tuple[Graph, LayerRunner],
    samples: Samples,
    progress: Callable[[str], None],
) -> Answers:
    """Run both models on every sample.

    A class is the index of the highest value of the first output, or whether a single value
    exceeds one half.  A model whose output has the size of its input rebuilds it: labels other than
    `samples.normal` are anomalies then.  Raises InputError for labels that are no class.
    """
    real, rough = _outputs(before, after, samples, progress)
    old, new = real[0].reshape(len(samples), -1), rough[0].reshape(len(samples), -1)
    rebuilds = _rebuilds(before[0])
    labelled = samples.labels is not None and not rebuilds
    if labelled:
        _check_labels(samples, max(2, old.shape[1]))
    auc = _auc(samples, (old, new)) if rebuilds else (None, None)
    before_classes, after_classes = _classes(old), _classes(new)
    labels = np.asarray(samples.labels or ())
    is_classifier = labelled or _looks_like_scores(before[0])
    return Answers(
        samples=len(samples),
        accuracy_before=float(np.mean(before_classes == labels)) if labelled else None,
        accuracy_after=float(np.mean(after_classes == labels)) if labelled else None,
        agreement=float(np.mean(before_classes == after_classes)) if is_classifier else None,
        auc_before=auc[0],
        auc_after=auc[1],
        output_sqnr_db=round(ratio_db(float((old**2).sum()), float(((old - new) ** 2).sum())), 2),
        largest_difference=float(np.abs(old - new).max()),
        saturation=_saturation(after[0], samples, real),
    )


def _rebuilds(graph: Graph) -> bool:
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return False
    source, output = graph.tensor(graph.inputs[0]), graph.tensor(graph.outputs[0])
    return source.elements == output.elements > 1


def _auc(
    samples: Samples, outputs: tuple[NDArray[np.float64], NDArray[np.float64]]
) -> tuple[float | None, float | None]:
    if samples.labels is None:
        return None, None
    anomalies = np.asarray(samples.labels) != samples.normal
    inputs = np.stack([vector[0] for vector in samples.vectors]).astype(np.float64)
    before, after = (area_under_roc(rebuild_errors(inputs, one), anomalies) for one in outputs)
    return before, after


def _outputs(
    before: tuple[Graph, LayerRunner],
    after: tuple[Graph, LayerRunner],
    samples: Samples,
    progress: Callable[[str], None],
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """All outputs of both as real numbers, each with an axis of samples in front."""
    real: list[list[NDArray[np.float64]]] = []
    rough: list[list[NDArray[np.float64]]] = []
    tensors = [after[0].tensor(index) for index in after[0].outputs]
    for number, vector in enumerate(samples.vectors):
        progress(f"comparing answers on sample {number + 1} of {len(samples)}")
        real.append([output.astype(np.float64) for output in before[1].run(vector)])
        answers = after[1].run(fit_inputs(vector, after[0]))
        rough.append([dequantize(*pair) for pair in zip(answers, tensors, strict=True)])
    return (
        [np.stack(column) for column in zip(*real, strict=True)],
        [np.stack(column) for column in zip(*rough, strict=True)],
    )


def _classes(outputs: NDArray[np.float64]) -> NDArray[np.int64]:
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0.5).astype(np.int64)
    highest: NDArray[np.int64] = outputs.argmax(axis=1)
    return highest


def _check_labels(samples: Samples, classes: int) -> None:
    wrong = next((label for label in samples.labels or () if not 0 <= label < classes), None)
    if wrong is not None:
        raise InputError(
            f"{samples.source}: label {wrong} is no class of a model of {classes} classes",
            hint="number the classes from 0, in the order of the model's outputs",
        )


def _looks_like_scores(graph: Graph) -> bool:
    last = next((op for op in graph.operators if graph.outputs[0] in op.outputs), None)
    return last is not None and last.kind in ("SOFTMAX", "LOGISTIC", "LOG_SOFTMAX")


def _saturation(
    after: Graph, samples: Samples, outputs: list[NDArray[np.float64]]
) -> tuple[Saturation, ...]:
    columns = [np.stack(column) for column in zip(*samples.vectors, strict=True)]
    found = []
    for what, indices, values in (
        ("input", after.inputs, columns),
        ("output", after.outputs, outputs),
    ):
        for place, (index, array) in enumerate(zip(indices, values, strict=True)):
            tensor = after.tensor(index)
            stored = tensor.quantization
            if stored is None or not stored.scales or tensor.dtype is DType.FLOAT32:
                continue
            limits = np.iinfo(tensor.dtype.numpy)
            low, high = ((q - stored.zero_point) * stored.scale for q in (limits.min, limits.max))
            half = stored.scale / 2
            outside = float(np.mean((array < low - half) | (array > high + half)))
            found.append(Saturation(f"{what} {place}", low, high, outside))
    return tuple(found)
