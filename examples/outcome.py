"""What an example found out about its model, and how that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raw_samples import RawAnswers
from rich.console import Console
from rich.table import Table

from tinyml_tool.api.evaluation import DeviceFigures, Evaluation, ModelFigures
from tinyml_tool.api.train import Trained
from tinyml_tool.boards import load_board
from tinyml_tool.errors import ExitCode
from tinyml_tool.verify.evidence import Evidence


@dataclass(frozen=True)
class Outcome:
    """What an example found out about its model."""

    trained: Trained
    model: Path
    """The int8 model."""
    before: Evaluation
    """The float model on the test samples, on this computer."""
    after: Evaluation
    """The int8 model on the same samples, on this computer and on the board."""
    evidence: Evidence
    """The int8 model on the board, every layer compared with the reference."""
    from_raw: RawAnswers
    """The board fed by its sensor, so to say: features and model."""

    @property
    def exact(self) -> bool:
        """Whether the board computed what the computer does: every layer, sample and feature."""
        device = self.after.device
        return (
            self.evidence.parity.exact
            and device is not None
            and device.agreement.exact
            and self.from_raw.windows > 0
            and self.from_raw.different == 0
            and not self.from_raw.answers_different
            and (device.answers is None or device.answers.exact)
        )

    def to_json(self) -> dict[str, Any]:
        """What result.json holds."""
        return {
            "samples": self.after.samples,
            "float": self.before.to_json(),
            "int8": self.after.to_json(),
            "board": self.evidence.to_json(),
            "model_bytes": self.model.stat().st_size,
            "parameters": self.trained.record["parameters"],
            "from_raw": self.from_raw.to_json(),
            "exact": self.exact,
        }


def facts(outcome: Outcome, seconds: float) -> Table:
    """The model, how good it is, and what it takes on the board."""
    record, evidence = outcome.trained.record, outcome.evidence
    parts = record["data"]["split"]["samples"]
    device = outcome.after.device
    assert device is not None, "it was evaluated on a board"
    rows = {
        "data": ", ".join(f"{count:,} {part}" for part, count in parts.items()) + " samples",
        "model": f"{record['architecture']['name']}, {record['parameters']:,} parameters, "
        f"{outcome.model.stat().st_size:,} bytes as int8",
        "float": quality(outcome.before.host),
        "int8": quality(outcome.after.host),
        f"  on {evidence.board}": board_quality(device),
        "  from raw samples": raw_quality(outcome.from_raw),
        "board": f"{load_board(evidence.board).name}, engine {evidence.engine}",
    }
    if evidence.instructions_per_inference is not None:
        rows["instructions"] = f"{evidence.instructions_per_inference:,} an inference (emulated)"
    if evidence.memory is not None:
        rows["flash"] = f"{evidence.memory.flash_bytes:,} bytes"
        rows["RAM"] = f"{evidence.memory.ram_bytes:,} bytes"
        rows["  of it tensors"] = f"{evidence.memory.arena_bytes:,} bytes"
        rows["stack used"] = f"{evidence.memory.stack_bytes:,} bytes"
    rows["time"] = f"{seconds:.0f} s, {record['seconds']:.0f} s of it training"
    rows["written"] = f"{outcome.trained.folder.parent}/"
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def quality(figures: ModelFigures) -> str:
    """Accuracy of a classifier, or AUC and what the threshold finds, in words."""
    if figures.confusion is not None:
        counts = figures.confusion
        return f"{100 * counts.accuracy:.1f} % right ({counts.correct} of {counts.samples})"
    found = figures.anomaly
    assert found is not None, "there is one or the other"
    return (
        f"AUC {found.auc or 0:.3f}, found {found.detected} of {found.anomalies}, "
        f"false alarms {found.false_alarms} of {found.normal:,}"
    )


def board_quality(device: DeviceFigures) -> str:
    """Figures on the board, and how often it answered otherwise than the reference."""
    found = device.agreement
    differ = f"{found.samples_different} of {found.samples:,} samples differ"
    return f"{quality(device.figures)}; {differ}"


def raw_quality(found: RawAnswers) -> str:
    """What came of raw samples, in words."""
    differ = f"{found.different} of {found.windows:,} windows differ"
    if found.answers_different is not None:
        differ += (
            f", {found.answers_different} of the board's own scores; it detects anomalies in "
            f"{found.detected}"
        )
    if found.right is None:
        return differ
    return f"{100 * found.right / found.windows:.1f} % right; {differ}"


def verdict(outcome: Outcome, console: Console) -> int:
    """Say whether the board computes exactly what the reference does."""
    parity = outcome.evidence.parity
    compared = (
        f"{parity.values_different:,} of {parity.values_compared:,} values differ from TensorFlow "
        f"Lite Micro\n({parity.layers} layers, {parity.vectors} test inputs)"
    )
    if outcome.exact:
        console.print(f"\n[bold green]EXACT[/]  {compared}")
        return ExitCode.OK
    console.print(f"\n[bold red]DIFFERENT[/]  {compared}; first in {parity.first_difference}")
    return ExitCode.MISMATCH
