"""`tinyml boards` and `tinyml boards show ID`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from tinyml_tool.cli.options import Json
from tinyml_tool.cli.output import Outcome, run_command

if TYPE_CHECKING:
    from rich.console import Console

    from tinyml_tool.boards import Board

HELP = """List the boards, or tell all about one.

Examples: `tinyml boards` · `tinyml boards --json` · `tinyml boards show qemu-m4`
"""


def _list(boards: list[Board]) -> Outcome:
    def show(console: Console) -> None:
        from tinyml_tool.report.boards import boards_table

        console.print(boards_table(boards))

    return Outcome([board.model_dump(mode="json") for board in boards], show)


def _show(board: Board) -> Outcome:
    def show(console: Console) -> None:
        from tinyml_tool.report.boards import board_table

        console.print(board_table(board))

    return Outcome(board.model_dump(mode="json"), show)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    group = typer.Typer(help=HELP, invoke_without_command=True, no_args_is_help=False)
    app.add_typer(group, name="boards")

    @group.callback()
    def list_boards(context: typer.Context, json: Json = False) -> None:
        if context.invoked_subcommand is not None:
            return
        from tinyml_tool.boards import load_boards

        run_command("boards", lambda _: _list(list(load_boards().values())), json=json, quiet=True)

    @group.command("show")
    def show_board(
        board: str = typer.Argument(help="Board id, or a board's TOML file."), json: Json = False
    ) -> None:
        """Tell all about one board: core, memory, clock, UART, timer, emulator."""
        from tinyml_tool.boards import load_board

        run_command("boards show", lambda _: _show(load_board(board)), json=json, quiet=True)
