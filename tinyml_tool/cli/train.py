"""`tinyml train DATA --arch NAME -o DIR`."""

from __future__ import annotations

from enum import StrEnum
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


class ScheduleName(StrEnum):
    """How the learning rate changes."""

    CONSTANT = "constant"
    COSINE = "cosine"
    STEP = "step"


ArchOption = Annotated[
    str,
    typer.Option(
        "--arch",
        "-a",
        help="cnn, ds_cnn, mobilenet_v1, resnet8, conv1d, tcn, lstm, mlp or autoencoder; with "
        "parameters: ds_cnn:width=0.5,depth=3,kernel=10x4.",
    ),
]
ResultOption = Annotated[Path, typer.Option("--output", "-o", help="Folder to make.")]
ScheduleOption = Annotated[ScheduleName, typer.Option(help="Of the learning rate.")]
FromOption = Annotated[Path | None, typer.Option("--from", help="A .keras file to train further.")]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("train")
    def train_command(
        data: DataArgument,
        arch: ArchOption,
        output: ResultOption,
        epochs: int = typer.Option(50, "--epochs", min=1, help="Times through the data."),
        batch_size: int = typer.Option(32, "--batch-size", min=1, help="Samples a step."),
        learning_rate: float = typer.Option(3e-3, "--learning-rate", help="At the beginning."),
        schedule: ScheduleOption = ScheduleName.COSINE,
        weight_decay: float = typer.Option(0.0, min=0.0, help="Of AdamW; 0: plain Adam."),
        patience: int = typer.Option(
            0, min=0, help="Stop after so many epochs without a better one; 0: never."
        ),
        balance: bool = typer.Option(False, "--balance", help="Weigh rare classes more."),
        shift: int = typer.Option(0, min=0, help="Augmentation: most places a sample moves."),
        noise: float = typer.Option(0.0, min=0.0, help="Augmentation: deviation of noise."),
        mixup: float = typer.Option(0.0, min=0.0, help="Augmentation: alpha of mixup."),
        flip: bool = typer.Option(False, "--flip", help="Augmentation: mirror pictures."),
        seed: int = typer.Option(0, min=0, help="Of weights, order and augmentation."),
        split_seed: int = typer.Option(0, min=0, help="Of the division of the data."),
        validation: float = typer.Option(0.15, help="Share of the data for validation."),
        test: float = typer.Option(0.2, help="Share of the data for the test."),
        features: FeaturesOption = None,
        scaling: ScalingOption = None,
        normal: str | None = typer.Option(
            None, help="For an autoencoder: the class that is no anomaly."
        ),
        start_from: FromOption = None,
        seconds: SecondsOption = None,
        size: SizeOption = None,
        grey: GreyOption = False,
        label_column: LabelColumnOption = "label",
        group_column: GroupColumnOption = None,
        channels: ChannelsOption = None,
        window: WindowOption = 1,
        step: StepOption = None,
        resume: bool = typer.Option(False, "--resume", help="Go on after an interruption."),
        force: bool = typer.Option(False, "--force", help="Replace an earlier result."),
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Train a float model on a data set, in a process of its own.

        Examples: `tinyml train words/ --arch ds_cnn --features kws -o words-model` ·
        `tinyml train watch.csv --arch conv1d --window 100 --group-column wearer -o activity` ·
        `tinyml train digits.npz --arch ds_cnn:width=0.25 --epochs 60 --shift 1 -o digits`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.train import train
            from tinyml_tool.report.training import training_table
            from tinyml_tool.train.settings import Augmentation, TrainSettings
            from tinyml_tool.train.splits import SplitShares

            trained = train(
                data,
                arch=arch,
                output=output,
                settings=TrainSettings(
                    epochs=epochs,
                    batch_size=batch_size,
                    learning_rate=learning_rate,
                    schedule=schedule.value,
                    weight_decay=weight_decay,
                    patience=patience,
                    balance=balance,
                    seed=seed,
                    augmentation=Augmentation(shift, noise, mixup, flip),
                ),
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
                normal=normal,
                start_from=start_from,
                resume=resume,
                force=force,
                progress=progress,
            )

            def show(console: Console) -> None:
                console.print(training_table(trained))

            return Outcome(trained.to_json(), show)

        run_command("train", act, json=json, quiet=quiet)
