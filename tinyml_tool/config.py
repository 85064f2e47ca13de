"""The project file `tinyml.toml`: what to deploy, and how it is proven."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from tinyml_tool.errors import ConfigError
from tinyml_tool.strict_toml import read_toml, validate

FILE_NAME = "tinyml.toml"

MlperfBenchmark: TypeAlias = Literal["kws01", "vww01", "ad01", "ic01"]
"""A benchmark of MLPerf Tiny, as its runner calls it."""


Optimize: TypeAlias = Literal["size", "balanced", "speed"]
"""What counts most when kernels are chosen: bytes of flash, both, or instructions."""

DEFAULT_OPTIMIZE: Optimize = "balanced"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ProjectSettings(_Strict):
    """`[project]`."""

    model: str
    """Path of the `.tflite`, relative to the file."""
    name: str | None = None
    board: str = "qemu-m4"
    engine: Literal["aot", "tflm"] = "aot"
    optimize: Optimize | None = None
    """What kernels of engine aot are chosen for."""
    output: str | None = None
    arena_in: str | None = None
    """The region of the board's RAM that holds the arena; by default the fastest with room."""
    mlperf: MlperfBenchmark | None = None
    """The firmware also answers MLPerf Tiny's runner."""


class BuildSettings(_Strict):
    """`[build]`."""

    system: Literal["platformio", "cmake"] = "platformio"


class VerifySettings(_Strict):
    """`[verify]`."""

    vectors: Annotated[int, Field(ge=1, le=100_000)] = 10
    seed: Annotated[int, Field(ge=0)] = 0


class MonitorSettings(_Strict):
    """`[monitor]`."""

    labels: str | None = None
    """Path of a text file, relative to this one: a name of a class in each line."""


class CompilerSettings(_Strict):
    """`[compiler]`, for engine aot."""

    passes: list[str] | None = None
    """Names of the graph passes that run; by default all."""


class TflmSettings(_Strict):
    """`[tflm]`, for engine tflm."""

    source: str | None = None
    """Path, relative to the file, of a directory with TFLM's headers and library."""
    arena_bytes: Annotated[int, Field(ge=1)] | None = None
    """In place of what the reference needs and a margin."""


class Config(_Strict):
    """The whole file."""

    project: ProjectSettings
    build: BuildSettings = BuildSettings()
    verify: VerifySettings = VerifySettings()
    monitor: MonitorSettings = MonitorSettings()
    tflm: TflmSettings = TflmSettings()
    compiler: CompilerSettings = CompilerSettings()
    answer: dict[str, Any] | None = None
    """`[answer]`, which `preprocess.answer_spec.parse_answer` reads as strictly."""
    features: dict[str, Any] | None = None
    """`[features]`, which `preprocess.spec.parse_features` reads as strictly."""
    source: dict[str, Any] | None = None
    """`[source]`, which `preprocess.source_spec.parse_source` reads as strictly."""


@dataclass(frozen=True)
class ConfigFile:
    """A project file that was read, and the folder its paths are relative to."""

    config: Config
    folder: Path

    @property
    def model(self) -> Path:
        """Path of the model."""
        return self.folder / self.config.project.model


def read_config(path: Path) -> ConfigFile:
    """Read a project file.  Raises ConfigError that lists every wrong key and value."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    return ConfigFile(validate(Config, read_toml(text, str(path)), str(path)), path.parent)
