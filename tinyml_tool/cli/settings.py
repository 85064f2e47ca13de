"""What the project file says, unless an option says otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from tinyml_tool.cli.options import Mlperf
from tinyml_tool.cli.options import Optimize as OptimizeChoice
from tinyml_tool.config import (
    FILE_NAME,
    Config,
    MlperfBenchmark,
    Optimize,
    ProjectSettings,
    read_config,
)
from tinyml_tool.errors import InputError


@dataclass(frozen=True)
class Settings:
    """A model with the settings of its project file, or the defaults."""

    model: Path
    config: Config

    def board(self, option: str | None) -> str:
        """The board to use."""
        return option or self.config.project.board

    def engine(self, option: str | None) -> str:
        """The engine to use."""
        return option or self.config.project.engine

    def output(self, option: Path | None) -> Path | None:
        """The project directory to make, or None for the default."""
        chosen = self.config.project.output
        return option or (Path(chosen) if chosen else None)

    def arena_bytes(self, option: int | None, engine: str) -> int | None:
        """Bytes of arena for engine tflm, or None where they are to be found out."""
        return option or (self.config.tflm.arena_bytes if engine == "tflm" else None)

    def arena_in(self, option: str | None) -> str | None:
        """The region of RAM for the arena, or None for the fastest that holds it."""
        return option or self.config.project.arena_in

    def optimize(self, option: OptimizeChoice | None, engine: str) -> Optimize | None:
        """The preset to choose kernels by; None for the default, or where there is none."""
        return preset_of(option) or (self.config.project.optimize if engine == "aot" else None)

    def without_passes(self, option: Sequence[str] | None, engine: str) -> tuple[str, ...]:
        """Graph passes to leave out: those that are named, and those the file does not list."""
        from tinyml_tool.graph.passes.registry import PASSES
        from tinyml_tool.graph.passes.rewrite import check_passes

        listed = self.config.compiler.passes if engine == "aot" else None
        check_passes(listed or ())
        absent = () if listed is None else tuple(name for name in PASSES if name not in listed)
        return tuple(dict.fromkeys((*absent, *(option or ()))))

    def mlperf(self, option: Mlperf | None) -> MlperfBenchmark | None:
        """The benchmark of MLPerf Tiny to answer, if any."""
        chosen = cast("MlperfBenchmark | None", option and option.value)
        return chosen or self.config.project.mlperf

    def source(self, option: str | None) -> Mapping[str, Any] | None:
        """The table `[source]`; an option of another kind stands for all of it."""
        written = self.config.source
        if option is None or (written is not None and written.get("kind") == option):
            return written
        return {"kind": option}

    def system(self, option: str | None) -> Literal["platformio", "cmake"]:
        """The build system to use."""
        return "cmake" if (option or self.config.build.system) == "cmake" else "platformio"


def preset_of(option: OptimizeChoice | None) -> Optimize | None:
    """The preset that an option names."""
    return cast("Optimize | None", option and option.value)


def read_settings(model: Path | None) -> Settings:
    """The settings for `model`, or those of ./tinyml.toml where no model is named.

    Raises InputError where there is neither, ConfigError where the project file is wrong.
    """
    if model is not None:
        return Settings(model, Config(project=ProjectSettings(model=str(model))))
    path = Path(FILE_NAME)
    if not path.is_file():
        raise InputError(
            f"no model is named, and there is no {FILE_NAME} in this folder",
            hint="name a .tflite file, e.g. `tinyml inspect model.tflite`",
        )
    file = read_config(path)
    return Settings(file.model, file.config)
