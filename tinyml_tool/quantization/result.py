"""A quantized model and all that is known about what it cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tinyml_tool.graph.problem import Problem, layer_name
from tinyml_tool.graph.types import DType, Graph
from tinyml_tool.quantization.advice import Advice
from tinyml_tool.quantization.answers import Answers
from tinyml_tool.quantization.noise import NoiseProfile
from tinyml_tool.quantization.options import QuantizationOptions


@dataclass(frozen=True)
class DataUse:
    """Which samples served what."""

    calibration: str
    calibration_samples: int
    random_calibration: bool
    """Ranges come from noise, not from data: the accuracy on real data is unknown."""
    evaluation: str
    evaluation_samples: int
    evaluated_on_calibration: bool
    """No other samples were there: noise and saturation look better than they are."""


@dataclass(frozen=True, eq=False)
class Quantized:
    """The new model as bytes, and its cost."""

    data: bytes
    graph: Graph
    options: QuantizationOptions
    backend: str
    int16_layers: tuple[str, ...]
    changes: tuple[str, ...]
    """What was changed in the float model first."""
    use: DataUse
    answers: Answers
    noise: NoiseProfile
    advice: tuple[Advice, ...]
    problems: tuple[Problem, ...]
    """What the lint found that does not keep the reference from running it."""
    engines: dict[str, tuple[str, ...]]
    """By engine, why it cannot run the model; empty where it can."""
    float_bytes: int

    @property
    def int4_layers(self) -> tuple[str, ...]:
        """Layers of the new model whose weights are int4."""
        return tuple(
            layer_name(operator)
            for operator in self.graph.operators
            if len(operator.inputs) > 1
            and operator.inputs[1] >= 0
            and self.graph.tensor(operator.inputs[1]).dtype is DType.INT4
        )

    def to_json(self) -> dict[str, Any]:
        """The value of `result` with `--json`."""
        return {
            "name": self.graph.name,
            "model_hash": self.graph.model_hash,
            "scheme": self.options.scheme.value,
            "backend": self.backend,
            "input_type": self.options.input.value,
            "output_type": self.options.output.value,
            "int16_layers": list(self.int16_layers),
            "int4_layers": list(self.int4_layers),
            "changes": list(self.changes),
            "bytes": len(self.data),
            "float_bytes": self.float_bytes,
            "data": asdict(self.use),
            "answers": asdict(self.answers),
            "noise": asdict(self.noise),
            "advice": [asdict(advice) for advice in self.advice],
            "problems": [str(problem) for problem in self.problems],
            "engines": {
                name: {"runs": not reasons, "problems": list(reasons)}
                for name, reasons in self.engines.items()
            },
        }
