"""`tinyml quantize MODEL`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_tool.cli.consent import ask
from tinyml_tool.cli.options import Json, Quiet
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console


class SchemeWord(StrEnum):
    """Types inside the model."""

    INT8 = "int8"
    INT16X8 = "int16x8"
    MIXED = "mixed"
    INT4 = "int4"


class BackendWord(StrEnum):
    """What quantizes."""

    AUTO = "auto"
    AI_EDGE = "ai-edge"
    TENSORFLOW = "tensorflow"


class PortWord(StrEnum):
    """Type of inputs or outputs."""

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    FLOAT = "float"


ModelArgument = Annotated[
    Path, typer.Argument(help="A float .tflite, a .keras or .h5 file, or a training's folder.")
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help=".npz with samples `x` and, for accuracy, labels `y`; or raw samples (folder, .csv, "
        ".ts) of a model that carries features.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write. [default: <model>-<scheme>.tflite]"),
]
TestOption = Annotated[
    Path | None, typer.Option("--test", help="Other samples to measure the result on.")
]
SchemeOption = Annotated[SchemeWord, typer.Option("--scheme", help="Types inside the model.")]
InputTypeOption = Annotated[
    PortWord | None,
    typer.Option("--input-type", help="Type of the inputs. [default: the scheme's]"),
]
OutputTypeOption = Annotated[
    PortWord | None,
    typer.Option("--output-type", help="Type of the outputs. [default: the scheme's]"),
]
Int16Option = Annotated[
    list[str] | None,
    typer.Option(
        "--int16",
        help="With --scheme mixed: a layer (number or output name) to be int16x8; may be "
        "repeated. [default: the three noisiest]",
    ),
]
DenseOption = Annotated[
    bool,
    typer.Option(
        "--dense-per-tensor",
        help="One scale for all weights of a dense layer: CMSIS-NN wants it for int16x8.",
    ),
]
Int4Option = Annotated[
    list[str] | None,
    typer.Option(
        "--int4",
        help="With --scheme int4: a layer (number or output name) to have int4 weights; may be "
        "repeated. [default: all CONV_2D and FULLY_CONNECTED]",
    ),
]
CalibrationOption = Annotated[
    int, typer.Option("--calibration", min=1, help="Samples to measure ranges on.")
]
RandomOption = Annotated[
    bool,
    typer.Option("--random-calibration", help="Without data: measure ranges on noise."),
]
NoiseSeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of that noise.")]
FitOption = Annotated[
    str | None,
    typer.Option(
        "--fit",
        help="A board's id: try float, int16x8, int8 and int4 weights on both engines, at last "
        "narrower networks, show the table, and write the best that fits.",
    ),
]
NarrowerOption = Annotated[
    bool,
    typer.Option(
        "--narrower/--no-narrower",
        help="With --fit: train narrower networks where nothing else fits (for a training's "
        "folder).",
    ),
]
BackendOption = Annotated[
    BackendWord,
    typer.Option("--backend", help="What quantizes. [default: tensorflow for Keras files]"),
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Install TensorFlow where a Keras file needs it.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an existing output file.")]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("quantize")
    def quantize_command(
        model: ModelArgument,
        data: DataOption = None,
        output: OutputOption = None,
        test: TestOption = None,
        scheme: SchemeOption = SchemeWord.INT8,
        input_type: InputTypeOption = None,
        output_type: OutputTypeOption = None,
        int16: Int16Option = None,
        dense_per_tensor: DenseOption = False,
        int4: Int4Option = None,
        calibration: CalibrationOption = 200,
        random_calibration: RandomOption = False,
        seed: NoiseSeedOption = 0,
        fit: FitOption = None,
        narrower: NarrowerOption = True,
        backend: BackendOption = BackendWord.AUTO,
        yes: YesOption = False,
        force: ForceOption = False,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Make a float model an integer one, and tell what that costs.

        Examples: `tinyml quantize kws_float.tflite --data train.npz -o kws.tflite` ·
        `tinyml quantize kws_float.tflite --data train.npz --scheme mixed --int16 0` ·
        `tinyml quantize kws_float.tflite --data train.npz --scheme int4 --int4 2 --int4 4` ·
        `tinyml quantize kws_float.tflite --data train.npz --fit nucleo_l432kc`
        """

        def act(progress: Progress) -> Outcome:
            if fit is not None:
                return _fit(model, fit, data, test, output, calibration, narrower, force, progress)
            from tinyml_tool.api.quantize import quantize
            from tinyml_tool.report.quantized import quantized_view, quantized_warnings

            target = output or Path(f"{model.stem}-{scheme.value}.tflite")
            result = quantize(
                model,
                data=data,
                output=target,
                test=test,
                scheme=scheme.value,
                input_type=input_type and input_type.value,
                output_type=output_type and output_type.value,
                int16_layers=tuple(int16 or ()),
                dense_per_tensor=dense_per_tensor,
                int4_layers=tuple(int4 or ()),
                calibration=calibration,
                random_calibration=random_calibration,
                seed=seed,
                backend=backend.value,
                consent=lambda environment: yes or ask(environment, silent=json or quiet),
                force=force,
                progress=progress,
            )

            def show(console: Console) -> None:
                for part in quantized_view(result, str(target)):
                    console.print(part)

            return Outcome(
                {"output": str(target), **result.to_json()},
                show,
                warnings=quantized_warnings(result),
            )

        run_command("quantize", act, json=json, quiet=quiet)


def _fit(
    model: Path,
    board: str,
    data: Path | None,
    test: Path | None,
    output: Path | None,
    calibration: int,
    narrower: bool,
    force: bool,
    progress: Progress,
) -> Outcome:
    from tinyml_tool.api.fit import quantize_to_fit
    from tinyml_tool.report.fit import fit_notes, fit_table

    target = output or Path(f"{model.stem}-{Path(board).stem}.tflite")
    table = quantize_to_fit(
        model,
        board=board,
        data=data,
        test=test,
        output=target,
        calibration=calibration,
        train_narrower=narrower,
        force=force,
        progress=progress,
    )

    def show(console: Console) -> None:
        console.print(fit_table(table))
        for note in fit_notes(table):
            console.print(note, markup=False)
        console.print(f"written: {target}", markup=False)

    return Outcome({"output": str(target), **table.to_json()}, show)
