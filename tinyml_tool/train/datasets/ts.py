"""The `.ts` format of aeon and sktime: labelled time series of equal length.

Source: the format's description at timeseriesclassification.com.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyml_tool.errors import InputError
from tinyml_tool.train.dataset import TEST, TRAIN, Dataset, make_dataset


@dataclass(frozen=True, eq=False)
class _Series:
    values: np.ndarray
    """(time, channels)"""
    label: str


@dataclass(frozen=True)
class _File:
    series: tuple[_Series, ...]
    classes: tuple[str, ...]


def read_ts(path: Path) -> Dataset:
    """Read a file; with `X_TRAIN.ts` comes `X_TEST.ts` beside it as the test part, and vice versa.

    Raises InputError, naming line and dimension.
    """
    paths = [(path, -1)]
    for own, other, parts in (
        ("_TRAIN", "_TEST", (TRAIN, TEST)),
        ("_TEST", "_TRAIN", (TEST, TRAIN)),
    ):
        partner = path.with_name(path.stem.removesuffix(own) + other + path.suffix)
        if path.stem.endswith(own) and partner.is_file():
            paths = sorted([(path, parts[0]), (partner, parts[1])], key=lambda pair: pair[1])
    files = [(_read(place), place, part) for place, part in paths]
    series = [(one, place, part) for file, place, part in files for one in file.series]
    shape = series[0][0].values.shape
    for one, place, _ in series:
        if one.values.shape != shape:
            raise InputError(
                f"{place}: a series of {one.values.shape[0]} values in {one.values.shape[1]} "
                f"dimensions, but the first has {shape[0]} in {shape[1]}",
                hint="series of equal length are needed: cut or fill them",
            )
    classes = tuple(sorted({name for file, _, _ in files for name in file.classes}))
    split = np.array([part for _, _, part in series], np.int8)
    return make_dataset(
        str(path),
        "series",
        np.stack([one.values for one, _, _ in series]),
        np.array([classes.index(one.label) for one, _, _ in series]),
        classes,
        split=split if len(files) > 1 else None,
    )


def _read(path: Path) -> _File:
    try:
        return parse_ts(path.read_text(encoding="utf-8-sig"), str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is no text file in UTF-8") from None


def parse_ts(text: str, name: str) -> _File:
    """Read the content of a file.  Raises InputError."""
    facts: dict[str, str] = {}
    series: list[_Series] = []
    in_data = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#%":
            continue
        if in_data:
            series.append(_parse_line(line, f"{name}: line {number}"))
        elif line.lower() == "@data":
            in_data = True
        elif line.startswith("@"):
            key, _, value = line[1:].partition(" ")
            facts[key.lower()] = value.strip()
        else:
            raise InputError(f"{name}: line {number} is neither a fact (@...) nor data")
    if not in_data:
        raise InputError(f"{name}: has no @data", hint="is it a .ts file of aeon or sktime?")
    if not series:
        raise InputError(
            f"{name}: has no series after @data", hint="each series is a line of its own there"
        )
    return _File(tuple(series), _classes(facts, series, name))


def _classes(facts: dict[str, str], series: list[_Series], name: str) -> tuple[str, ...]:
    words = facts.get("classlabel", "").split()
    if not words or words[0].lower() != "true":
        raise InputError(
            f"{name}: its series have no class (no '@classLabel true ...')",
            hint="a file for classification is needed",
        )
    classes = tuple(words[1:]) or tuple(sorted({one.label for one in series}))
    for one in series:
        if one.label not in classes:
            raise InputError(f"{name}: class '{one.label}' is not in its @classLabel")
    return classes


def _parse_line(line: str, where: str) -> _Series:
    *dimensions, label = line.split(":")
    if not dimensions:
        raise InputError(f"{where}: has no ':' before a class")
    if "(" in line:
        raise InputError(f"{where}: has time stamps, which are not read")
    channels = [_numbers(text, f"{where}, dimension {i}") for i, text in enumerate(dimensions)]
    lengths = {len(channel) for channel in channels}
    if len(lengths) > 1:
        raise InputError(
            f"{where}: dimensions of {' and '.join(map(str, sorted(lengths)))} values",
            hint="dimensions of equal length are needed",
        )
    return _Series(np.array(channels, np.float32).T, label.strip())


def _numbers(text: str, where: str) -> list[float]:
    values = []
    for word in text.split(","):
        try:
            value = float(word)
        except ValueError:
            raise InputError(
                f"{where}: {word.strip()!r} is no number",
                hint="fill missing values ('?') before",
            ) from None
        if not abs(value) < 3.4e38:
            raise InputError(f"{where}: is {word.strip()}", hint="fill or remove it")
        values.append(value)
    return values
