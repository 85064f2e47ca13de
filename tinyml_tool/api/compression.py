"""What compressing a model gave, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_tool.api.cost import Cost
from tinyml_tool.train.result_folder import FLOAT_FILE, INT8_FILE, KERAS_FILE


@dataclass(frozen=True)
class Row:
    """One model of the table."""

    name: str
    quality: float | None
    """Share of right answers; of an anomaly detector the AUC."""
    samples: int
    parameters: int | None
    model_bytes: int
    cost: Cost | None = None
    why_not: str | None = None
    """Why it was not measured on the board."""

    def to_json(self) -> dict[str, Any]:
        """As `compress --json` tells it."""
        return {
            "name": self.name,
            "quality": self.quality,
            "samples": self.samples,
            "parameters": self.parameters,
            "model_bytes": self.model_bytes,
            "cost": self.cost.to_json() if self.cost else None,
            "why_not": self.why_not,
        }


@dataclass(frozen=True, eq=False)
class Compressed:
    """A smaller model in a folder like that of a training, and what it is against the old one."""

    folder: Path
    method: str
    options: Mapping[str, Any]
    board: str
    measure: str
    """What `quality` is: `accuracy` or `AUC`."""
    rows: tuple[Row, ...]
    """The given model as float and as int8, what the method stands against, and its result."""
    record: Mapping[str, Any]
    """What `training.json` holds."""

    @property
    def result(self) -> Row:
        """The new int8 model."""
        return self.rows[-1]

    @property
    def int8_model(self) -> Path:
        """The new model as int8 `.tflite`, ready to be deployed."""
        return self.folder / INT8_FILE

    @property
    def float_model(self) -> Path:
        """The new model as float `.tflite`."""
        return self.folder / FLOAT_FILE

    @property
    def keras_file(self) -> Path:
        """The new model as Keras stores it."""
        return self.folder / KERAS_FILE

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`, and what `compression.json` holds."""
        return {
            "output": str(self.folder),
            "method": self.method,
            "options": dict(self.options),
            "board": self.board,
            "measure": self.measure,
            "rows": [row.to_json() for row in self.rows],
        }
