"""`tinyml import SOURCE`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_tool.cli.consent import ask
from tinyml_tool.cli.options import Json, Quiet
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console

SourceArgument = Annotated[
    str,
    typer.Argument(
        help=".keras, .h5, .tflite, .onnx, .pt2 (torch.export), a SavedModel's folder, or "
        "MODULE:FUNCTION that returns a PyTorch model and its example input."
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write. [default: <source>-float.tflite]"),
]
DataOption = Annotated[
    Path | None,
    typer.Option("--data", help=".npz of real inputs (`x`) to compare on. [default: random]"),
]
ShapeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--shape",
        help="Shape of an input where the source leaves lengths open, such as 1,49,10,1; once for "
        "each input.",
    ),
]
SamplesOption = Annotated[
    int, typer.Option("--samples", min=1, max=10_000, help="Inputs to compare on.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of random inputs.")]
ToleranceOption = Annotated[
    float,
    typer.Option("--tolerance", min=0, help="Largest difference allowed, over the largest answer."),
]
LayoutOption = Annotated[
    bool, typer.Option("--keep-layout", help="Leave the inputs' axes in the source's order.")
]
YesOption = Annotated[
    bool, typer.Option("--yes", "-y", help="Install the libraries that the format needs.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace an existing output file.")]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("import")
    def import_command(
        source: SourceArgument,
        output: OutputOption = None,
        data: DataOption = None,
        shape: ShapeOption = None,
        samples: SamplesOption = 20,
        seed: SeedOption = 0,
        tolerance: ToleranceOption = 1e-3,
        keep_layout: LayoutOption = False,
        yes: YesOption = False,
        force: ForceOption = False,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Make a float .tflite of a model in another format, and compare the two.

        Examples: `tinyml import model.keras -o model.tflite` · `tinyml import net.onnx --yes` ·
        `tinyml import nets:make --data inputs.npz`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.import_model import import_model
            from tinyml_tool.report.imported import import_warnings, imported_table

            name = source.rpartition(":")[2] if ":" in source else Path(source).stem
            target = output or Path(f"{name}-float.tflite")
            result = import_model(
                source,
                output=target,
                data=data,
                shapes=_shapes(shape or []),
                samples=samples,
                seed=seed,
                tolerance=tolerance,
                layout=not keep_layout,
                consent=lambda environment: yes or ask(environment, silent=json or quiet),
                force=force,
                progress=progress,
            )

            def show(console: Console) -> None:
                console.print(imported_table(result, str(target)))

            return Outcome(
                {"output": str(target), **result.to_json()},
                show,
                warnings=import_warnings(result),
            )

        run_command("import", act, json=json, quiet=quiet)


def _shapes(words: list[str]) -> list[list[int]]:
    from tinyml_tool.errors import InputError

    shapes = []
    for word in words:
        lengths = word.replace("x", ",").split(",")
        if not all(length.strip().isdecimal() and int(length) > 0 for length in lengths):
            raise InputError(f"--shape {word}: is no shape", hint="such as --shape 1,49,10,1")
        shapes.append([int(length) for length in lengths])
    return shapes
