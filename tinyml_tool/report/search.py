"""A search's front as a table for the terminal, and as Markdown."""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from tinyml_tool.api.search_result import Baseline, Found, SearchResult

_COLUMNS = ("folder", "network", "test", "validation", "flash", "RAM", "instructions")


def search_table(result: SearchResult) -> Table:
    """The front, the most accurate first, and the baseline."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in _COLUMNS:
        text = name in ("network", "folder")
        table.add_column(
            name,
            justify="left" if text else "right",
            no_wrap=name != "network",
            overflow="fold",
            min_width=14 if name == "network" else None,
        )
    for one in result.found:
        table.add_row(*_cells(one))
    if result.baseline is not None:
        table.add_row(*_baseline_cells(result.baseline), style="dim")
    return table


def search_notes(result: SearchResult) -> list[str]:
    """What was tried, what was refused, and what beats the baseline."""
    refused = sum(one.refused is not None for one in result.judged)
    notes = [
        f"{len(result.judged)} networks tried, {refused} of them refused untrained; front: "
        f"by validation accuracy (int8), flash and instructions (emulated) on {result.board}"
    ]
    if result.baseline is not None:
        for one in result.found:
            better, worse = result.baseline.against(one)
            if not worse and len(better) > 1:
                notes.append(
                    f"{one.judged.candidate} beats {result.baseline.model} in "
                    f"{' and '.join(better)}, and is worse in nothing"
                )
    return notes


def search_markdown(result: SearchResult) -> str:
    """The same as Markdown."""
    rows = [_cells(one) for one in result.found]
    if result.baseline is not None:
        rows.append(_baseline_cells(result.baseline))
    lines = [
        "| " + " | ".join(_COLUMNS) + " |",
        "|---|---|" + "---:|" * (len(_COLUMNS) - 2),
    ]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _cells(one: Found) -> tuple[str, ...]:
    cost, judged = one.cost, one.judged
    return (
        one.folder.name if one.folder else "-",
        _spaced(str(judged.candidate)),
        _share(one.test_accuracy),
        _share(judged.accuracy),
        f"{cost.flash_bytes:,}",
        f"{cost.ram_bytes:,}",
        "-" if cost.instructions is None else f"{cost.instructions:,}",
    )


def _baseline_cells(baseline: Baseline) -> tuple[str, ...]:
    cost = baseline.cost
    return (
        "-",
        f"baseline {Path(baseline.model).name}",
        _share(baseline.test_accuracy),
        _share(baseline.validation_accuracy),
        f"{cost.flash_bytes:,}",
        f"{cost.ram_bytes:,}",
        "-" if cost.instructions is None else f"{cost.instructions:,}",
    )


def _spaced(name: str) -> str:
    """A network's name that can be broken into lines.

    >>> _spaced("cnn:width=0.5,depth=3, averaged by 2")
    'cnn: width=0.5, depth=3, averaged by 2'
    """
    return name.replace(":", ": ").replace(",", ", ").replace(",  ", ", ")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
