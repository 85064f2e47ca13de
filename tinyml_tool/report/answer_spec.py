"""An answer spec as a table for the terminal."""

from __future__ import annotations

from rich.table import Table

from tinyml_tool.preprocess.answer_spec import AnswerSpec, ClassesSpec, answer_hash

_MOST_LABELS = 20


def answer_spec_table(spec: AnswerSpec) -> Table:
    """Labels with their thresholds, and how windows become detections."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("kind", spec.kind)
    if isinstance(spec, ClassesSpec):
        for number, label in enumerate(spec.labels[:_MOST_LABELS]):
            ignored = label in spec.ignore
            least = "never detected" if ignored else f"detected from {spec.least[number]:g} on"
            table.add_row(f"class {number}", f"{label}: {least}")
        if len(spec.labels) > _MOST_LABELS:
            table.add_row("", f"and {len(spec.labels) - _MOST_LABELS:,} more")
    else:
        normal, anomaly = spec.labels
        table.add_row("error", f"above {spec.threshold:g}: {anomaly}, else {normal}")
    table.add_row("average", f"of {spec.average} windows")
    table.add_row("refractory", f"{spec.refractory:,} windows after a detection")
    table.add_row("hash", answer_hash(spec))
    return table
