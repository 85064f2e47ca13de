"""`tinyml flash [PROJECT | MODEL]`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_tool.cli.options import (
    BoardOption,
    EmulatorOption,
    EngineOption,
    ForceOption,
    Json,
    OutputOption,
    PortOption,
    Quiet,
    System,
    SystemOption,
    TimeLimitOption,
)
from tinyml_tool.cli.output import Outcome, Progress, run_command

if TYPE_CHECKING:
    from rich.console import Console

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def duration(text: str) -> float:
    """Seconds in `90`, `30m`, `8h`, `2d`.  Raises InputError.

    >>> duration("30m"), duration("1.5h")
    (1800.0, 5400.0)
    """
    from tinyml_tool.errors import InputError

    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip().lower())
    if not found or found[2] not in _UNITS:
        raise InputError(f"'{text}' is no duration", hint="write it like 90s, 30m, 8h or 2d")
    return float(found[1]) * _UNITS[found[2]]


def _stop(name: str | None) -> Outcome:
    from tinyml_tool.api.flash import stop_emulators

    stopped = stop_emulators(name)

    def show(console: Console) -> None:
        for record in stopped:
            console.print(f"stopped the emulator of {record.board} ({record.project})")
        if not stopped:
            console.print("no emulator was running")

    return Outcome({"stopped": [record.board for record in stopped]}, show)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""

    @app.command("flash")
    def flash_command(
        target: Annotated[
            str | None,
            typer.Argument(
                help="A generated project, or a .tflite model to make one of; with --stop also a "
                "board's id.",
                show_default="this folder",
            ),
        ] = None,
        board: BoardOption = None,
        engine: EngineOption = None,
        output: OutputOption = None,
        force: ForceOption = False,
        port: PortOption = None,
        emulated: bool = typer.Option(
            False, "--emulated", help="Start the emulator that stands in for the real board."
        ),
        emulator: EmulatorOption = None,
        ttl: str = typer.Option(
            "8h", "--ttl", help="How long an emulator stays: 90s, 30m, 8h, 2d."
        ),
        stop: bool = typer.Option(
            False, "--stop", help="End the emulator of the project or board, or all of them."
        ),
        system: SystemOption = None,
        timeout: TimeLimitOption = None,
        json: Json = False,
        quiet: Quiet = False,
    ) -> None:
        """Put a project's firmware onto its board, or into an emulator that stays, and check it.

        Examples: `tinyml flash kws` · `tinyml flash kws.tflite --board nano33ble` ·
        `tinyml flash kws --port /dev/ttyACM0` · `tinyml flash --stop qemu-m4`
        """

        def act(progress: Progress) -> Outcome:
            if stop:
                return _stop(target)
            from tinyml_tool.api.flash import flash
            from tinyml_tool.api.target import project_of
            from tinyml_tool.report.flashed import flashed_view

            project = project_of(
                Path(target or "."),
                board=board,
                engine=engine,
                output=output,
                force=force,
                builds="emulated" if emulated or emulator else "board",
                progress=progress,
            )
            flashed = flash(
                project,
                port=port,
                emulated=emulated,
                emulator=emulator.value if emulator else None,
                seconds=duration(ttl),
                system="cmake" if system is System.CMAKE else "platformio",
                time_limit=timeout,
                progress=progress,
            )

            def show(console: Console) -> None:
                for part in flashed_view(flashed):
                    console.print(part)

            return Outcome(flashed.to_json(), show)

        run_command("flash", act, json=json, quiet=quiet)
