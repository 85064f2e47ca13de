"""Options that mean the same in every command."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Engine(StrEnum):
    """How the model becomes code."""

    AOT = "aot"
    TFLM = "tflm"


class Optimize(StrEnum):
    """What counts most when engine aot chooses kernels."""

    SIZE = "size"
    BALANCED = "balanced"
    SPEED = "speed"


class System(StrEnum):
    """Build system."""

    PLATFORMIO = "platformio"
    CMAKE = "cmake"


class Emulator(StrEnum):
    """What runs the firmware without a board."""

    QEMU = "qemu"
    RENODE = "renode"


class Mlperf(StrEnum):
    """Benchmark of MLPerf Tiny."""

    KWS01 = "kws01"
    VWW01 = "vww01"
    AD01 = "ad01"
    IC01 = "ic01"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
BoardOption = Annotated[
    str | None,
    typer.Option("--board", "-b", help="Board id (see `tinyml boards`) or a board's TOML file."),
]
TuneOption = Annotated[
    bool,
    typer.Option(
        "--tune", help="Choose kernels by measuring them in the emulator, layer by layer."
    ),
]
EngineOption = Annotated[
    Engine | None, typer.Option("--engine", "-e", help="How the model becomes code.")
]
OptimizeOption = Annotated[
    Optimize | None,
    typer.Option("--optimize", "-O", help="What engine aot saves most. [default: balanced]"),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Project directory to make. [default: <model>-<board>]"),
]
NameOption = Annotated[
    str | None, typer.Option("--name", help="Name of the project. [default: the model's name]")
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Replace an existing project directory.")
]
ArenaOption = Annotated[
    int | None,
    typer.Option(
        "--arena",
        min=1,
        help="Bytes of arena for engine tflm. [default: what the reference needs, and a margin]",
    ),
]
ArenaInOption = Annotated[
    str | None,
    typer.Option(
        "--arena-in",
        help="Region of the board's RAM for the arena (see `tinyml boards show ID`). "
        "[default: the fastest that holds it]",
    ),
]
NoPassOption = Annotated[
    list[str] | None,
    typer.Option(
        "--no-pass",
        help="Leave out this graph pass (see `tinyml inspect --passes`); may be repeated.",
    ),
]
MlperfOption = Annotated[
    Mlperf | None,
    typer.Option("--mlperf", help="Also answer MLPerf Tiny's runner, for this benchmark."),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source",
        help="Where the firmware's raw samples come from: pdm, i2s, lsm9ds1, lsm6dsl, camera or "
        "replay (see `tinyml boards show ID`).",
    ),
]
SystemOption = Annotated[System | None, typer.Option("--with", help="Build system.")]
ModelArgument = Annotated[
    Path | None,
    typer.Argument(
        help="The .tflite model. [default: the one named in ./tinyml.toml]", show_default=False
    ),
]
TargetArgument = Annotated[
    Path,
    typer.Argument(
        help="A generated project, or a .tflite model to make one of.", show_default="this folder"
    ),
]
VectorsOption = Annotated[
    int | None,
    typer.Option("--vectors", "-n", min=1, max=100_000, help="Number of generated inputs."),
]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of random inputs.")]
InputOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--input", "-i", help="Input file (.npy, .npz, .bin, .wav, image); may be repeated."
    ),
]
PortOption = Annotated[
    str | None,
    typer.Option(
        "--port",
        "-p",
        help="Serial port, pyserial URL, or id of a board that is plugged in or left running by "
        "`tinyml flash`, instead of an emulator of this command's own.",
    ),
]
EmulatorOption = Annotated[
    Emulator | None,
    typer.Option("--emulator", help="What runs the firmware. [default: the board's first]"),
]
TimeLimitOption = Annotated[
    float | None,
    typer.Option("--timeout", min=0.1, help="Seconds without an answer until giving up."),
]
