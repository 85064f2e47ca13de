"""A finished training as a table for the terminal."""

from __future__ import annotations

from rich.table import Table

from tinyml_tool.api.train import Trained
from tinyml_tool.api.training_figures import Figures


def training_table(trained: Trained) -> Table:
    """What was trained on what, how good it became, and where it is."""
    record = trained.record
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    shape = "x".join(map(str, record["input"]["shape"]))
    samples = record["data"]["split"]["samples"]
    table.add_row("test", _figures(trained.test))
    table.add_row("validation", _figures(trained.validation))
    table.add_row(
        "model",
        f"{record['architecture']['name']}, {record['parameters']:,} parameters, input {shape}",
    )
    table.add_row(
        "data",
        f"{record['data']['samples']:,} samples of {len(record['classes'])} classes: "
        + ", ".join(f"{count:,} {part}" for part, count in samples.items()),
    )
    if told := record["input"].get("features_sha256"):
        kind = record["input"]["features"]["kind"]
        table.add_row("features", f"{kind}, {told[:16]}: made by the device's own C, in the model")
    table.add_row(
        "epochs",
        f"{len(record['history'])}, the best was {record['best_epoch']}, {record['seconds']:.0f} s",
    )
    table.add_row("written", f"{trained.folder}/: {trained.float_model.name}, training.json, ...")
    return table


def _figures(figures: Figures) -> str:
    if figures.confusion is not None:
        counts = figures.confusion
        return f"{100 * counts.accuracy:.1f} % right ({counts.correct} of {counts.samples})"
    auc = "" if figures.auc is None else f", AUC {figures.auc:.3f}"
    return f"mean squared error {figures.mean_error:.5f}{auc} ({figures.samples} samples)"
