"""The command `tinyml`: one file a command beside this one, all thin over the Python API."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

import typer
from typer.main import get_command

from tinyml_tool.cli import (
    answers,
    boards,
    build,
    compress,
    deploy,
    doctor,
    evaluate,
    features,
    flash,
    generate,
    import_model,
    inspect,
    monitor,
    ports,
    profile,
    quantize,
    run,
    search,
    train,
    validate,
)
from tinyml_tool.errors import ExitCode, InputError
from tinyml_tool.report.envelope import envelope

# The public subclass leads to the class of all usage errors, wherever Typer keeps it.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]

EPILOG = (
    "Exit codes: 0 ok, 1 internal, 2 usage or input, 3 model not supported, 4 does not fit, "
    "5 tool missing or build failed, 6 device or link, 7 mismatch, 130 interrupted."
)

app = typer.Typer(
    name="tinyml",
    help="Put a neural network on a microcontroller and know that it works there.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode="markdown",
)


def _version(value: bool) -> None:
    if value:
        from tinyml_tool.version import VERSION

        print(f"tinyml {VERSION}")
        raise typer.Exit()


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    del version


for _module in (
    boards,
    inspect,
    generate,
    build,
    run,
    validate,
    deploy,
    import_model,
    quantize,
    profile,
    flash,
    monitor,
    ports,
    features,
    answers,
    doctor,
    train,
    evaluate,
    compress,
    search,
):
    _module.register(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    # Loading modules makes hundreds of thousands of objects that stay: do not look through them.
    gc.set_threshold(100_000)
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = get_command(app).main(words, prog_name="tinyml", standalone_mode=False)
    except _USAGE_ERROR as error:
        status = _usage(error, words)
    except typer.Abort:
        status = 130
    sys.exit(status if isinstance(status, int) else 0)


def _usage(error: BaseException, words: list[str]) -> int:
    if "--json" in words:
        command = next((word for word in words if not word.startswith("-")), "")
        failure = InputError(
            str(getattr(error, "message", error)), hint=f"see `tinyml {command} --help`".rstrip()
        )
        print(envelope(command, error=failure))
    else:
        error.show()  # type: ignore[attr-defined]
    return int(ExitCode.USAGE)
