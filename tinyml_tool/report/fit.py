"""The ladder of `tinyml quantize --fit` as a table."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from tinyml_tool.api.fit import FitTable, RungResult


def fit_table(result: FitTable) -> Table:
    """A row a rung: how large, how accurate, whether it fits; the chosen one is marked."""
    memory = result.board.memory
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    table.add_column("rung", no_wrap=True)
    table.add_column("engine")
    table.add_column(f"flash of {memory.flash.size:,}", justify="right")
    table.add_column(f"RAM of {memory.ram_total:,}", justify="right")
    table.add_column("accuracy", justify="right")
    table.add_column("fits")
    for rung in result.rungs:
        chosen = rung is result.chosen
        table.add_row(
            ">" if chosen else "",
            Text(_name(rung), "bold" if chosen else ""),
            rung.rung.engine,
            "-" if rung.flash_bytes is None else f"{rung.flash_bytes:,}",
            "-" if rung.ram_bytes is None else f"{rung.ram_bytes:,}",
            _quality(rung),
            _verdict(rung),
        )
    return table


def fit_notes(result: FitTable) -> list[str]:
    """What the table's numbers are, and what was measured."""
    notes = ["flash and RAM: the whole firmware, estimated"]
    chosen = result.chosen
    if chosen is not None and chosen.measured_flash_bytes is not None:
        notes.append(
            f"built: {chosen.measured_flash_bytes:,} bytes of flash for a program that "
            "initialises and runs the model once"
        )
    if chosen is not None and chosen.rung.width < 1:
        notes.append(
            f"at full width nothing fits: the network was trained anew at "
            f"{chosen.rung.width:.0%} of its width, narrower ones were not tried; `tinyml compress "
            f"FOLDER --method scale --width {chosen.rung.width:g} -o OTHER` keeps it as a training"
        )
    notes += [
        f"{_name(rung)}, engine {rung.rung.engine}: {rung.why_not}"
        for rung in result.rungs
        if rung.why_not
    ]
    return notes


def _name(rung: RungResult) -> str:
    width = "" if rung.rung.width == 1.0 else f", width {rung.rung.width:g}"
    return rung.rung.name + width


def _quality(rung: RungResult) -> str:
    if rung.accuracy is not None:
        return f"{rung.accuracy:.1%}"
    if rung.auc is not None:
        return f"AUC {rung.auc:.3f}"
    if rung.agreement is not None:
        return f"{rung.agreement:.1%} as float"
    return "-" if rung.output_sqnr_db is None else f"{rung.output_sqnr_db:.1f} dB"


def _verdict(rung: RungResult) -> Text:
    if rung.flash_bytes is None:
        return Text("not run", "yellow")
    return Text("yes", "green") if rung.fits else Text("no", "bold red")
