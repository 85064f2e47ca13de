"""`tinyml evaluate MODEL --data DATA --on BOARD`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_tool.cli.data_options import (
    ChannelsOption,
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
from tinyml_tool.cli.options import (
    EmulatorOption,
    EngineOption,
    Json,
    OptimizeOption,
    PortOption,
    Quiet,
    System,
    SystemOption,
    TimeLimitOption,
)
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console

ModelArgument = Annotated[
    Path, typer.Argument(help="The .tflite model, quantized or float.", show_default=False)
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        "-d",
        help="Data set of any form, or a folder of `tinyml train`. [default: the model's folder]",
    ),
]
TrainingOption = Annotated[
    Path | None,
    typer.Option(
        "--training",
        help="Folder of `tinyml train` that tells scaling and classes. [default: the model's]",
    ),
]
RocOption = Annotated[
    Path | None,
    typer.Option("--roc", help="Of an anomaly model: draw its ROC curve into this PNG file."),
]


AnswerOption = Annotated[
    Path | None,
    typer.Option(
        "--answer",
        "-a",
        help="A tinyml.toml with [answer]: thresholds, anomaly score. [default: the model's own]",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("evaluate")
    def evaluate_command(
        model: ModelArgument,
        data: DataOption = None,
        on: str = typer.Option("host", "--on", help="host, or a board (see `tinyml boards`)."),
        training: TrainingOption = None,
        features: FeaturesOption = None,
        scaling: ScalingOption = None,
        engine: EngineOption = None,
        optimize: OptimizeOption = None,
        normal: str | None = typer.Option(
            None, help="Of an anomaly model: the class that is no anomaly."
        ),
        threshold: float | None = typer.Option(None, help="Error above which it is an anomaly."),
        false_alarms: float = typer.Option(
            0.05, min=0.0, max=0.999, help="Share of normal samples to choose a threshold by."
        ),
        roc: RocOption = None,
        answer: AnswerOption = None,
        limit: int | None = typer.Option(None, min=1, help="Only the first samples."),
        seconds: SecondsOption = None,
        size: SizeOption = None,
        grey: GreyOption = False,
        label_column: LabelColumnOption = "label",
        group_column: GroupColumnOption = None,
        channels: ChannelsOption = None,
        window: WindowOption = 1,
        step: StepOption = None,
        port: PortOption = None,
        emulator: EmulatorOption = None,
        system: SystemOption = None,
        timeout: TimeLimitOption = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Measure accuracy, confusion and AUC, in the reference and on a device.

        Examples: `tinyml evaluate digits/model_float.tflite` ·
        `tinyml evaluate digits_int8.tflite --data digits --on qemu-m4` ·
        `tinyml evaluate words.tflite --data recordings/ --training words-model --seconds 1` ·
        `tinyml evaluate pump/model_int8.tflite --roc pump.png`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.answers import load_answer
            from tinyml_tool.api.evaluate import evaluate
            from tinyml_tool.errors import MismatchError
            from tinyml_tool.report.evaluation import show_evaluation
            from tinyml_tool.report.roc_picture import write_roc
            from tinyml_tool.verify.agreement import require_agreement
            from tinyml_tool.verify.device_answers import require_equal_answers

            evaluation = evaluate(
                model,
                answer=load_answer(answer) if answer is not None else None,
                data=data,
                on=on,
                training=training,
                engine=engine or "aot",
                optimize=optimize.value if optimize else None,
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
                features=features,
                scaling=scaling.value if scaling else None,
                normal=normal,
                threshold=threshold,
                false_alarms=false_alarms,
                limit=limit,
                port=port,
                emulator=emulator.value if emulator else None,
                system="cmake" if system is System.CMAKE else "platformio",
                time_limit=timeout,
                progress=progress,
            )
            if roc is not None:
                write_roc(evaluation.host.anomaly, model.stem, roc)
            error = None
            try:
                if evaluation.device is not None:
                    require_agreement(str(model), evaluation.device.agreement)
                    require_equal_answers(str(model), evaluation.device.answers)
            except MismatchError as mismatch:
                error = mismatch

            def show(console: Console) -> None:
                show_evaluation(console, evaluation)
                if roc is not None:
                    console.print(f"drawn into {roc}", markup=False)

            return Outcome(evaluation.to_json(), show, error=error)

        run_command("evaluate", act, json=json, quiet=quiet)
