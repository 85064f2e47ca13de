"""`tinyml answers show [FILE]`, `check [PROJECT | MODEL]` and `store MODEL`."""

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

    from tinyml_tool.api.answers_check import AnswerCheck

SourceArgument = Annotated[
    Path, typer.Argument(help="A tinyml.toml, or a model that carries its answer spec.")
]
SpecOption = Annotated[
    Path,
    typer.Option(
        "--answer",
        "-a",
        help="Where the answer spec is: a tinyml.toml, or a model that carries it.",
    ),
]


WindowsOption = Annotated[
    int, typer.Option("--windows", min=1, max=1_000_000, help="How many answers to compare.")
]


def _check_outcome(check: AnswerCheck) -> Outcome:
    from tinyml_tool.errors import MismatchError
    from tinyml_tool.report.answer_check import answer_check_table
    from tinyml_tool.verify.device_answers import require_equal_answers

    def show(console: Console) -> None:
        console.print(answer_check_table(check))

    error = None
    try:
        require_equal_answers(check.board, check.parity)
    except MismatchError as mismatch:
        error = mismatch
    return Outcome(check.to_json(), show, error=error)


def _show(source: Path) -> Outcome:
    from tinyml_tool.api.answers import load_answer
    from tinyml_tool.preprocess.answer_spec import answer_hash
    from tinyml_tool.report.answer_spec import answer_spec_table

    spec = load_answer(source)

    def show(console: Console) -> None:
        console.print(answer_spec_table(spec))

    return Outcome({"sha256": answer_hash(spec), "answer": spec.model_dump(mode="json")}, show)


def _store(model: Path, answer: Path, output: Path | None) -> Outcome:
    from tinyml_tool.api.answers import load_answer
    from tinyml_tool.api.answers_store import store_answer
    from tinyml_tool.preprocess.answer_spec import answer_hash

    spec = load_answer(answer)
    target = store_answer(model, spec, output)

    def show(console: Console) -> None:
        console.print(f"{target}: carries the answer spec {answer_hash(spec)[:16]} now")

    return Outcome({"model": str(target), "answer_sha256": answer_hash(spec)}, show)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(
        no_args_is_help=True,
        help="What a model's outputs say: look at it, prove it on a device.",
    )
    app.add_typer(group, name="answers")

    @group.command("show")
    def show_command(
        source: SourceArgument = Path("tinyml.toml"), json: Json = False, quiet: Quiet = False
    ) -> None:
        """Show the labels, thresholds and times of an answer spec, and its hash.

        Examples: `tinyml answers show` · `tinyml answers show kws.tflite`
        """
        run_command("answers show", lambda _: _show(source), json=json, quiet=quiet)

    @group.command("store")
    def store_command(
        model: Annotated[Path, typer.Argument(help="The .tflite model.", show_default=False)],
        answer: SpecOption = Path("tinyml.toml"),
        output: Annotated[
            Path | None, typer.Option("--output", "-o", help="Write another file instead.")
        ] = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Put the answer spec into the model's metadata; all else in the file stays the same.

        Examples: `tinyml answers store kws.tflite` ·
        `tinyml answers store kws.tflite -a tinyml.toml -o kws-with-answer.tflite`
        """
        run_command(
            "answers store", lambda _: _store(model, answer, output), json=json, quiet=quiet
        )

    @group.command("check")
    def check_command(
        target: TargetArgument = Path(),
        board: BoardOption = None,
        engine: EngineOption = None,
        output: OutputOption = None,
        force: ForceOption = False,
        inputs: InputOption = None,
        windows: WindowsOption = 200,
        seed: SeedOption = None,
        port: PortOption = None,
        emulator: EmulatorOption = None,
        system: SystemOption = None,
        timeout: TimeLimitOption = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Compare what the device says of its outputs with this computer, bit for bit.

        Examples: `tinyml answers check kws --windows 1000` ·
        `tinyml answers check kws.tflite --board qemu-m0`
        """

        def act(progress: Progress) -> Outcome:
            from tinyml_tool.api.answers_check import check_answers
            from tinyml_tool.api.target import project_of

            return _check_outcome(
                check_answers(
                    project_of(
                        target,
                        board=board,
                        engine=engine,
                        output=output,
                        force=force,
                        progress=progress,
                    ),
                    inputs=inputs or (),
                    windows=windows,
                    seed=seed or 0,
                    port=port,
                    emulator=emulator.value if emulator else None,
                    system="cmake" if system is System.CMAKE else "platformio",
                    time_limit=timeout,
                    progress=progress,
                )
            )

        run_command("answers check", act, json=json, quiet=quiet)
