"""`tinyml compress TRAINING --method NAME -o DIR`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_tool.cli.options import Json, Quiet
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console

    from tinyml_tool.train.settings import TrainSettings


class MethodName(StrEnum):
    """How a model becomes smaller."""

    QAT = "qat"
    PRUNE = "prune"
    DISTILL = "distill"
    CLUSTER = "cluster"
    SCALE = "scale"


class RangesName(StrEnum):
    """Where ranges of activations come from."""

    MOVING = "moving"
    LEARNED = "learned"


class CriterionName(StrEnum):
    """Which channels matter."""

    NORM = "norm"
    SCALE = "scale"
    RANDOM = "random"


TrainingArgument = Annotated[
    Path, typer.Argument(help="Folder of `tinyml train`, or a model in it.", show_default=False)
]
MethodOption = Annotated[MethodName, typer.Option("--method", "-m", help="How.")]
ResultOption = Annotated[Path, typer.Option("--output", "-o", help="Folder to make.")]
TeacherOption = Annotated[
    Path | None,
    typer.Option(help="distill: folder of another teacher. [default: the given model]"),
]
RangesOption = Annotated[RangesName, typer.Option(help="qat: how ranges are found.")]
CriterionOption = Annotated[CriterionName, typer.Option(help="prune: which channels matter.")]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("compress")
    def compress_command(
        model: TrainingArgument,
        method: MethodOption,
        output: ResultOption,
        weight_bits: int = typer.Option(8, help="qat: bits of a weight, 2 to 8."),
        ranges: RangesOption = RangesName.MOVING,
        per_tensor: bool = typer.Option(False, "--per-tensor", help="qat: one scale a layer."),
        share: float = typer.Option(0.5, help="prune: share of the channels to remove."),
        criterion: CriterionOption = CriterionName.NORM,
        clusters: int = typer.Option(16, help="cluster: values that a layer's weights may have."),
        width: float = typer.Option(0.5, help="distill, scale: factor of the width."),
        resolution: int = typer.Option(
            1, help="distill, scale: places along each axis averaged to one."
        ),
        student: str | None = typer.Option(
            None, help="distill: architecture of the student. [default: the given one at --width]"
        ),
        teacher: TeacherOption = None,
        temperature: float = typer.Option(4.0, help="distill: softens the answers."),
        teacher_share: float = typer.Option(0.7, help="distill: teacher's answers against labels."),
        features: float = typer.Option(0.0, help="distill: weight of the teacher's features."),
        epochs: int | None = typer.Option(
            None, min=1, help="Times through the data. [default: 20; anew: as the given model]"
        ),
        learning_rate: float | None = typer.Option(
            None, help="At the beginning. [default: 0.001; anew: as the given model]"
        ),
        seed: int | None = typer.Option(None, min=0, help="[default: as the given model]"),
        board: str = typer.Option("qemu-m4", "--board", "-b", help="Where it is measured."),
        measure: bool = typer.Option(True, help="Build both models and run them on the board."),
        markdown: bool = typer.Option(False, "--markdown", help="Print the table as Markdown."),
        resume: bool = typer.Option(False, "--resume", help="Go on after an interruption."),
        force: bool = typer.Option(False, "--force", help="Replace an earlier result."),
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Make a trained model smaller, and measure what that costs and saves on a board.

        Examples: `tinyml compress digits -m qat -o digits-qat` ·
        `tinyml compress digits -m prune --share 0.5 -o digits-pruned` ·
        `tinyml compress digits -m distill --width 0.5 --epochs 60 -o digits-small`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.compress import compress
            from tinyml_tool.report.compression import (
                compression_notes,
                compression_table,
                markdown_table,
            )
            from tinyml_tool.train.compression import CompressOptions

            compressed = compress(
                model,
                method=method.value,
                output=output,
                options=CompressOptions(
                    weight_bits=weight_bits,
                    ranges=ranges.value,
                    per_tensor=per_tensor,
                    share=share,
                    criterion=criterion.value,
                    clusters=clusters,
                    width=width,
                    resolution=resolution,
                    student=student,
                    temperature=temperature,
                    teacher_share=teacher_share,
                    features=features,
                ),
                settings=_settings(model, method.value, epochs, learning_rate, seed),
                teacher=teacher,
                board=board,
                measure=measure,
                resume=resume,
                force=force,
                progress=progress,
            )

            def show(console: Console) -> None:
                if markdown:
                    print(markdown_table(compressed.measure, compressed.rows))
                    return
                console.print(compression_table(compressed))
                for note in compression_notes(compressed):
                    console.print(f"[dim]{note}[/dim]")
                console.print(f"written: {compressed.folder}/: {compressed.int8_model.name}, ...")

            return Outcome(compressed.to_json(), show)

        run_command("compress", act, json=json, quiet=quiet)


def _settings(
    model: Path, method: str, epochs: int | None, learning_rate: float | None, seed: int | None
) -> TrainSettings | None:
    """The usual settings with what was asked for; None where nothing was."""
    changes = {"epochs": epochs, "learning_rate": learning_rate, "seed": seed}
    asked = {name: value for name, value in changes.items() if value is not None}
    if not asked:
        return None
    from dataclasses import replace

    from tinyml_tool.api.compress import record_of, usual_settings

    return replace(usual_settings(record_of(model), method), **asked)  # type: ignore[arg-type]
