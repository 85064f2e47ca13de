"""`tinyml search DATA --board BOARD -o DIR`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_tool.cli.data_options import (
    ChannelsOption,
    DataArgument,
    FeaturesOption,
    GreyOption,
    GroupColumnOption,
    LabelColumnOption,
    ScalingOption,
    SecondsOption,
    SizeOption,
    StepOption,
    WindowOption,
    read_options,
)
from tinyml_tool.cli.options import Json, Quiet
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console

ResultOption = Annotated[Path, typer.Option("--output", "-o", help="Folder to make.")]
BaselineOption = Annotated[
    Path | None, typer.Option(help="A .tflite to compare with, on the same samples.")
]
FamiliesOption = Annotated[
    str | None,
    typer.Option(help="Architectures to choose from, with commas. [default: all that suit]"),
]
_BUDGET = "of a program that runs the network once"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("search")
    def search_command(
        data: DataArgument,
        output: ResultOption,
        board: str = typer.Option("qemu-m4", "--board", "-b", help="Where it is measured."),
        max_flash: int | None = typer.Option(None, min=1, help=f"Bytes of flash {_BUDGET}."),
        max_ram: int | None = typer.Option(None, min=1, help=f"Bytes of RAM {_BUDGET}."),
        max_instructions: int | None = typer.Option(
            None, min=1, help="Instructions of one inference, on the emulated core."
        ),
        min_accuracy: float | None = typer.Option(
            None, help="Share of right answers (validation, int8) that a network must reach."
        ),
        candidates: int = typer.Option(24, min=1, help="Networks to try."),
        generation: int = typer.Option(6, min=1, help="Networks a generation."),
        families: FamiliesOption = None,
        keep: int = typer.Option(5, min=1, help="Networks to hand out."),
        baseline: BaselineOption = None,
        beat: bool = typer.Option(
            False, "--beat", help="Take no more flash and instructions than the baseline."
        ),
        epochs: int = typer.Option(40, "--epochs", min=1, help="Times through the data, each."),
        batch_size: int = typer.Option(32, "--batch-size", min=1, help="Samples a step."),
        learning_rate: float = typer.Option(3e-3, "--learning-rate", help="At the beginning."),
        patience: int = typer.Option(0, min=0, help="Epochs without a better one; 0: never stop."),
        shift: int = typer.Option(0, min=0, help="Augmentation: most places a sample moves."),
        noise: float = typer.Option(0.0, min=0.0, help="Augmentation: deviation of noise."),
        seed: int = typer.Option(0, min=0, help="Of candidates, weights and order."),
        split_seed: int = typer.Option(0, min=0, help="Of the division of the data."),
        validation: float = typer.Option(0.15, help="Share of the data for validation."),
        test: float = typer.Option(0.2, help="Share of the data for the test."),
        features: FeaturesOption = None,
        scaling: ScalingOption = None,
        seconds: SecondsOption = None,
        size: SizeOption = None,
        grey: GreyOption = False,
        label_column: LabelColumnOption = "label",
        group_column: GroupColumnOption = None,
        channels: ChannelsOption = None,
        window: WindowOption = 1,
        step: StepOption = None,
        markdown: bool = typer.Option(False, "--markdown", help="Print the table as Markdown."),
        resume: bool = typer.Option(False, "--resume", help="Go on after an interruption."),
        force: bool = typer.Option(False, "--force", help="Replace an earlier result."),
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Search for networks that fit a board, measured there before they are trained.

        Examples: `tinyml search digits.npz --max-flash 9000 -o found` ·
        `tinyml search X_TRAIN.ts --max-instructions 200000 --candidates 40 -o found` ·
        `tinyml search digits.npz --families cnn,mlp --baseline digits.tflite --beat -o found`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.search import search
            from tinyml_tool.api.search_result import Limits
            from tinyml_tool.report.search import search_markdown, search_notes, search_table
            from tinyml_tool.train.settings import Augmentation, TrainSettings
            from tinyml_tool.train.splits import SplitShares

            result = search(
                data,
                output=output,
                board=board,
                limits=Limits(max_flash, max_ram, max_instructions, min_accuracy),
                candidates=candidates,
                generation=generation,
                families=tuple(name.strip() for name in families.split(",")) if families else (),
                settings=TrainSettings(
                    epochs=epochs,
                    batch_size=batch_size,
                    learning_rate=learning_rate,
                    patience=patience,
                    seed=seed,
                    augmentation=Augmentation(shift=shift, noise=noise),
                ),
                seed=seed,
                keep=keep,
                baseline=baseline,
                beat=beat,
                reading=read_options(
                    seconds=seconds,
                    size=size,
                    grey=grey,
                    label_column=label_column,
                    group_column=group_column,
                    channels=channels,
                    window=window,
                    step=step,
                ),
                shares=SplitShares(validation, test, split_seed),
                features=features,
                scaling=scaling.value if scaling else None,
                resume=resume,
                force=force,
                progress=progress,
            )

            def show(console: Console) -> None:
                if markdown:
                    print(search_markdown(result))
                    return
                console.print(search_table(result))
                for note in search_notes(result):
                    console.print(f"[dim]{note}[/dim]")
                console.print(f"written: {result.folder}/: {result.plot.name}, search.json, ...")

            return Outcome(result.to_json(), show)

        run_command("search", act, json=json, quiet=quiet)
