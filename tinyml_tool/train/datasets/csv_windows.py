"""A table of measurements, one row a moment, cut into windows."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import InputError
from tinyml_tool.train.dataset import Dataset, make_dataset


@dataclass(frozen=True)
class CsvLayout:
    """How a table becomes windows."""

    label: str = "label"
    """The column with the class."""
    group: str | None = None
    """The column with the wearer or recording: a window never spans two."""
    channels: tuple[str, ...] = ()
    """The columns with the measurements; none: all the others."""
    window: int = 1
    """Rows a window."""
    step: int | None = None
    """Rows from one window's start to the next one's; None: a whole window, without overlap."""


@dataclass(frozen=True, eq=False)
class _Table:
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    labels: tuple[str, ...]
    groups: tuple[str, ...] | None


def read_csv(path: Path, layout: CsvLayout) -> Dataset:
    """Cut each run of rows with one label (and group) into windows; what is left over is dropped.

    A window of one row is a vector.  Raises InputError, naming line and column.
    """
    if layout.window < 1 or (layout.step is not None and layout.step < 1):
        raise InputError(f"a window of {layout.window} rows, every {layout.step} rows")
    table = _read(path, layout)
    starts = list(_window_starts(table, layout))
    if not starts:
        raise InputError(
            f"{path}: no run of rows with one label is {layout.window} rows long",
            hint="choose a shorter --window",
        )
    windows = np.stack([table.values[start : start + layout.window] for start in starts])
    classes, labels = np.unique([table.labels[start] for start in starts], return_inverse=True)
    groups = None
    if table.groups is not None:
        groups = np.unique([table.groups[start] for start in starts], return_inverse=True)[1]
    return make_dataset(
        str(path),
        "vector" if layout.window == 1 else "series",
        (windows[:, 0] if layout.window == 1 else windows).astype(np.float32),
        labels,
        tuple(str(name) for name in classes),
        groups=groups,
    )


def _window_starts(table: _Table, layout: CsvLayout) -> Iterator[int]:
    """First rows of windows within runs of rows with the same label and group."""
    step = layout.step or layout.window
    groups = table.groups or ("",) * len(table.labels)
    keys = list(zip(table.labels, groups, strict=True))
    begin = 0
    for row in range(1, len(keys) + 1):
        if row == len(keys) or keys[row] != keys[begin]:
            yield from range(begin, row - layout.window + 1, step)
            begin = row


def _read(path: Path, layout: CsvLayout) -> _Table:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [row for row in csv.reader(file) if row]
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"{path}: is no CSV file in UTF-8: {error}",
            hint="export it as text with commas, in UTF-8",
        ) from None
    if len(rows) < 2:
        raise InputError(
            f"{path}: has no rows below its line of column names",
            hint="the first line names the columns, and each further one is a moment",
        )
    header = [name.strip() for name in rows[0]]
    label = _column(path, header, layout.label, "--label-column")
    group = None
    if layout.group is not None:
        group = _column(path, header, layout.group, "--group-column")
    chosen = _channels(path, header, layout, {label, group})
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(header):
            raise InputError(
                f"{path}: row {number} has {len(row)} columns, the first row {len(header)}",
                hint="complete the row or remove it",
            )
    return _Table(
        tuple(header[index] for index in chosen),
        _numbers(path, rows, header, chosen),
        tuple(row[label].strip() for row in rows[1:]),
        None if group is None else tuple(row[group].strip() for row in rows[1:]),
    )


def _channels(
    path: Path, header: Sequence[str], layout: CsvLayout, taken: set[int | None]
) -> list[int]:
    if layout.channels:
        return [_column(path, header, name, "--channels") for name in layout.channels]
    chosen = [index for index in range(len(header)) if index not in taken]
    if not chosen:
        raise InputError(
            f"{path}: has no column with measurements",
            hint="add one beside label and group, or name others with --channels",
        )
    return chosen


def _column(path: Path, header: Sequence[str], name: str, option: str) -> int:
    if header.count(name) != 1:
        raise InputError(
            f"{path}: has {header.count(name)} columns '{name}'; its columns are "
            + ", ".join(header),
            hint=f"name one of them with {option}",
        )
    return header.index(name)


def _numbers(
    path: Path, rows: Sequence[Sequence[str]], header: Sequence[str], chosen: Sequence[int]
) -> NDArray[np.float64]:
    values = np.empty((len(rows) - 1, len(chosen)))
    for number, row in enumerate(rows[1:]):
        for place, index in enumerate(chosen):
            try:
                values[number, place] = float(row[index])
            except ValueError:
                raise InputError(
                    f"{path}: row {number + 2}, column '{header[index]}': {row[index]!r} is no "
                    "number",
                    hint="name the columns with measurements with --channels",
                ) from None
            if not np.isfinite(values[number, place]):
                raise InputError(
                    f"{path}: row {number + 2}, column '{header[index]}': is {row[index]}",
                    hint="remove the row or fill the gap",
                )
    return values
