"""Options that say how a data set is read, and the values made of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyml_tool.errors import InputError

if TYPE_CHECKING:
    from tinyml_tool.train.datasets.read import ReadOptions


class ScalingName(StrEnum):
    """How raw numbers become inputs."""

    NONE = "none"
    UNIT = "unit"
    SYMMETRIC = "symmetric"
    STANDARDIZE = "standardize"


ScalingOption = Annotated[
    ScalingName | None,
    typer.Option(help="From raw numbers to inputs. [default: by the kind of data]"),
]
DataArgument = Annotated[
    Path,
    typer.Argument(
        help="Folder of .wav files or pictures by class, .npz, .csv, or .ts.", show_default=False
    ),
]
FeaturesOption = Annotated[
    str | None,
    typer.Option(
        "--features",
        "-f",
        help="What the device makes of raw samples: a tinyml.toml with [features], a model that "
        "carries them, or a preset (kws, micro_speech).",
    ),
]
SecondsOption = Annotated[
    float | None,
    typer.Option("--seconds", min=0.001, help="Length of each sound: longer ones are cut."),
]
SizeOption = Annotated[
    str | None, typer.Option("--size", help="HEIGHTxWIDTH that pictures are scaled to.")
]
GreyOption = Annotated[bool, typer.Option("--grey", help="One channel of grey for pictures.")]
LabelColumnOption = Annotated[
    str, typer.Option("--label-column", help="Column of a .csv with the class.")
]
GroupColumnOption = Annotated[
    str | None,
    typer.Option("--group-column", help="Column of a .csv with the wearer or recording."),
]
ChannelsOption = Annotated[
    str | None,
    typer.Option("--channels", help="Columns of a .csv to take, with commas. [default: all]"),
]
WindowOption = Annotated[
    int, typer.Option("--window", min=1, help="Rows of a .csv that make one sample.")
]
StepOption = Annotated[
    int | None,
    typer.Option("--step", min=1, help="Rows from window to window. [default: a whole window]"),
]


def read_options(
    *,
    seconds: float | None,
    size: str | None,
    grey: bool,
    label_column: str,
    group_column: str | None,
    channels: str | None,
    window: int,
    step: int | None,
) -> ReadOptions:
    """The options as a value.  Raises InputError for a size that is none."""
    from tinyml_tool.train.datasets.csv_windows import CsvLayout
    from tinyml_tool.train.datasets.read import ReadOptions

    names = tuple(name.strip() for name in channels.split(",")) if channels else ()
    layout = CsvLayout(label_column, group_column, names, window, step)
    return ReadOptions(seconds, _size(size) if size else None, grey, layout)


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise InputError(f"size '{text}' is not HEIGHTxWIDTH", hint="for example --size 96x96")
    return int(height), int(width)
