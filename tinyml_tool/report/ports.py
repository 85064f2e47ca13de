"""Ports and running emulators as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tinyml_tool.api.ports import EmulatorFacts, PortFacts, Ports
from tinyml_tool.api.time_left import duration_text
from tinyml_tool.devices.port_holders import Holder


def ports_view(ports: Ports) -> Iterator[RenderableType]:
    """What is plugged in, what runs, and under it what to type where something is in the way."""
    if ports.ports:
        yield _ports_table(ports.ports)
    else:
        yield Text("no serial ports: plug a board in with a cable that carries data")
    if ports.emulators:
        yield ""
        yield _emulators_table(ports.emulators)
        yield from (Text(f"stop it with: {facts.stop_command}") for facts in ports.emulators)
    for port in ports.ports:
        yield from _remedy(port)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _ports_table(ports: Sequence[PortFacts]) -> Table:
    table = _table("port", "probably", "USB", "state")
    for facts in ports:
        port = facts.port
        usb = " ".join(text for text in (port.usb_id, port.description) if text)
        boards = " or ".join(facts.boards) or "-"
        table.add_row(Text(port.device), boards, Text(usb or "-"), _state(facts))
    return table


def _state(facts: PortFacts) -> Text:
    if facts.holders:
        return Text(f"used by {_names(facts.holders)}", style="yellow")
    if not facts.access.allowed:
        return Text(f"closed to you: {facts.access.problem}", style="red")
    return Text("free", style="green")


def _names(holders: Sequence[Holder]) -> str:
    return ", ".join(str(holder) for holder in holders)


def _emulators_table(emulators: Sequence[EmulatorFacts]) -> Table:
    table = _table("emulator", "port", "project", "ends in", "state")
    for facts in emulators:
        record = facts.record
        state = f"used by {_names(facts.holders)}" if facts.holders else "free"
        table.add_row(
            record.board,
            record.url,
            Text(record.project),
            duration_text(facts.seconds_left),
            Text(state, style="yellow" if facts.holders else "green"),
        )
    return table


def _remedy(facts: PortFacts) -> Iterator[RenderableType]:
    if facts.access.remedy:
        yield Text(f"\nto open {facts.port.device}:", style="bold")
        yield from (Text(f"    {line}") for line in facts.access.remedy)
