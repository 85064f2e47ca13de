"""An evaluation for the terminal: verdict, figures by class, confusion matrix."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinyml_tool.api.evaluation import DeviceFigures, Evaluation, ModelFigures
from tinyml_tool.verify.anomaly import AnomalyFigures
from tinyml_tool.verify.confusion import Confusion

_MOST_COLUMNS = 20


def show_evaluation(console: Console, evaluation: Evaluation) -> None:
    """Print all of it."""
    console.print(_summary(evaluation))
    counts = evaluation.host.confusion
    if counts is not None:
        console.print()
        console.print(_classes(counts))
        if len(counts.classes) <= _MOST_COLUMNS:
            console.print()
            console.print(_matrix(counts))


def _summary(evaluation: Evaluation) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _figures(evaluation.host):
        table.add_row(name, text)
    table.add_row("model", evaluation.model)
    table.add_row("data", f"{evaluation.data}: {evaluation.samples:,} samples")
    device = evaluation.device
    if device is None:
        table.add_row("ran on", "the reference (TensorFlow Lite Micro) on this computer")
        return table
    table.add_row("device", _verdict(device))
    if (answers := device.answers) is not None:
        differ = f"{answers.values_different:,} of {answers.values_compared:,} values differ"
        table.add_row("answers", f"{answers.answers:,} of the device compared, {differ}")
    if not device.agreement.exact:
        for name, text in _figures(device.figures):
            table.add_row(f"{name} there", text)
    where = "" if device.ran_on == device.board else f" (emulated as {device.ran_on})"
    table.add_row("board", f"{device.board}{where}, engine {device.engine}")
    if device.instructions_per_inference is not None:
        count = f"{device.instructions_per_inference:,} for one inference (emulated)"
        table.add_row("instructions", count)
    return table


def _verdict(device: DeviceFigures) -> Text:
    found = device.agreement
    if found.exact:
        return Text(f"0 of {found.samples:,} samples differ from the reference", style="bold green")
    return Text(
        f"{found.samples_different:,} of {found.samples:,} samples differ from the reference",
        style="bold red",
    )


def _figures(figures: ModelFigures) -> list[tuple[str, str]]:
    if figures.anomaly is not None:
        return _anomaly(figures.anomaly)
    counts = figures.confusion
    assert counts is not None, "there is one or the other"
    rows = [("accuracy", f"{100 * counts.accuracy:.1f} % ({counts.correct} of {counts.samples})")]
    if figures.auc is not None:
        rows.append(("AUC", f"{figures.auc:.4f}, by the score of '{counts.classes[1]}'"))
    if (sure := figures.decided) is not None:
        text = (
            f"{sure.decided} of {sure.samples} reach their threshold, {sure.right} of these right"
        )
        rows.append(("decided", text))
    return rows


def _anomaly(found: AnomalyFigures) -> list[tuple[str, str]]:
    rows = [("AUC", "-" if found.auc is None else f"{found.auc:.4f}")]
    rows.append(("threshold", f"{found.threshold.value:.6g}: {found.threshold.reason}"))
    rows.append(("detected", f"{found.detected} of {found.anomalies} anomalies"))
    rows.append(("false alarms", f"{found.false_alarms} of {found.normal} normal samples"))
    medians = [
        f"{name} {value:.6g}"
        for name, value in (("normal", found.median_normal), ("anomaly", found.median_anomaly))
        if value is not None
    ]
    rows.append(("median error", ", ".join(medians)))
    return rows


def _classes(counts: Confusion) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("class", no_wrap=True)
    for name in ("samples", "precision", "recall", "F1"):
        table.add_column(name, justify="right")
    for one in counts.per_class:
        table.add_row(
            one.name, str(one.samples), _share(one.precision), _share(one.recall), _share(one.f1)
        )
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _matrix(counts: Confusion) -> Table:
    """Rows are true classes, columns answers by number; zeros are dots, to see what is not."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("true \\ answered", no_wrap=True)
    for number in range(len(counts.classes)):
        table.add_column(str(number), justify="right")
    for number, (name, row) in enumerate(zip(counts.classes, counts.counts, strict=True)):
        cells = [
            Text(
                str(count) if count else "·",
                style="green" if column == number else ("red" if count else "dim"),
            )
            for column, count in enumerate(row)
        ]
        label = name if name == str(number) else f"{number} {name}"
        table.add_row(label, *cells)
    return table
