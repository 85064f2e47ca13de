"""`tinyml features show FILE`, `check [PROJECT | MODEL]` and `store MODEL`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_tool.cli.options import (
    BoardOption,
    EmulatorOption,
    EngineOption,
    ForceOption,
    InputOption,
    Json,
    OutputOption,
    PortOption,
    Quiet,
    SeedOption,
    System,
    SystemOption,
    TargetArgument,
    TimeLimitOption,
)
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console

    from tinyml_tool.api.features_check import FeatureCheck

FileArgument = Annotated[
    Path,
    typer.Argument(
        help="Raw samples: .wav, a picture, .csv with a column a channel, .npy or .raw.",
        show_default=False,
    ),
]
SpecOption = Annotated[
    str,
    typer.Option(
        "--features",
        "-f",
        help="Where the feature spec is: a tinyml.toml, a model that carries it, or a preset "
        "(kws, micro_speech).",
    ),
]
PictureOption = Annotated[
    Path | None, typer.Option("--png", help="Also draw them into this PNG file.")
]
WindowOption = Annotated[int, typer.Option("--window", "-w", min=0, help="Which window, from 0.")]
ValuesOption = Annotated[
    int, typer.Option("--values", min=1, max=10_000_000, help="Least features to compare.")
]


def _check_outcome(check: FeatureCheck) -> Outcome:
    from tinyml_tool.errors import MismatchError
    from tinyml_tool.report.features import feature_check_table

    def show(console: Console) -> None:
        console.print(feature_check_table(check))

    error = None
    if not check.exact:
        error = MismatchError(
            f"{check.values_different:,} of {check.values_compared:,} features differ",
            hint="build with the project's own flags: -ffp-contract=off, without -ffast-math",
        )
    return Outcome(check.to_json(), show, error=error)


def _show(file: Path, features: str, window: int, png: Path | None, progress: Progress) -> Outcome:
    from tinyml_tool.api.features import load_features
    from tinyml_tool.api.features_show import show_features
    from tinyml_tool.report.feature_drawing import drawing
    from tinyml_tool.report.feature_picture import write_picture

    progress(f"computing the features of {file}")
    view = show_features(file, load_features(features), window=window)
    if png is not None:
        write_picture(view, png)

    def show(console: Console) -> None:
        for line in drawing(view, console.width):
            console.print(line)
        if png is not None:
            console.print(f"drawn into {png}")

    return Outcome(view.to_json(), show)


def _store(model: Path, features: str, output: Path | None) -> Outcome:
    from tinyml_tool.api.features import load_features
    from tinyml_tool.api.features_store import store_features
    from tinyml_tool.preprocess.spec import features_hash

    spec = load_features(features)
    target = store_features(model, spec, output)

    def show(console: Console) -> None:
        console.print(f"{target}: carries the features {features_hash(spec)[:16]} now")

    return Outcome({"model": str(target), "features_sha256": features_hash(spec)}, show)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Look at the preprocessing of raw samples, and prove it on a device.",
    )
    app.add_typer(group, name="features")

    @group.command("show")
    def show_command(
        file: FileArgument,
        features: SpecOption = "tinyml.toml",
        window: WindowOption = 0,
        png: PictureOption = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Draw the features of a file of samples, in the terminal and as a picture.

        Examples: `tinyml features show yes.wav --features kws` ·
        `tinyml features show yes.wav -f kws.tflite --png yes.png`
        """
        run_command(
            "features show",
            lambda say: _show(file, features, window, png, say),
            json=json,
            quiet=quiet,
        )

    @group.command("store")
    def store_command(
        model: Annotated[Path, typer.Argument(help="The .tflite model.", show_default=False)],
        features: SpecOption = "tinyml.toml",
        output: Annotated[
            Path | None, typer.Option("--output", "-o", help="Write another file instead.")
        ] = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Put the feature spec into the model's metadata; all else in the file stays the same.

        Examples: `tinyml features store kws.tflite --features kws` ·
        `tinyml features store model.tflite -f tinyml.toml -o model-with-features.tflite`
        """
        run_command(
            "features store", lambda _: _store(model, features, output), json=json, quiet=quiet
        )

    @group.command("check")
    def check_command(
        target: TargetArgument = Path(),
        board: BoardOption = None,
        engine: EngineOption = None,
        output: OutputOption = None,
        force: ForceOption = False,
        inputs: InputOption = None,
        values: ValuesOption = 20_000,
        seed: SeedOption = None,
        port: PortOption = None,
        emulator: EmulatorOption = None,
        system: SystemOption = None,
        timeout: TimeLimitOption = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Compare the features that the device computes with the host's, bit for bit.

        Examples: `tinyml features check kws --board qemu-m4` ·
        `tinyml features check kws.tflite --input yes.wav --board qemu-m0`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.features_check import check_features
            from tinyml_tool.api.target import project_of

            return _check_outcome(
                check_features(
                    project_of(
                        target,
                        board=board,
                        engine=engine,
                        output=output,
                        force=force,
                        progress=progress,
                    ),
                    inputs=inputs or (),
                    values=values,
                    seed=seed or 0,
                    port=port,
                    emulator=emulator.value if emulator else None,
                    system="cmake" if system is System.CMAKE else "platformio",
                    time_limit=timeout,
                    progress=progress,
                )
            )

        run_command("features check", act, json=json, quiet=quiet)
