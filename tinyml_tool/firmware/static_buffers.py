"""Static RAM of what a firmware has beside the model."""

from __future__ import annotations

from tinyml_tool.config import MlperfBenchmark
from tinyml_tool.firmware.mlperf_files import BENCHMARKS
from tinyml_tool.preprocess.answer_plan import AnswerPlan
from tinyml_tool.preprocess.plan import FeaturePlan
from tinyml_tool.preprocess.source_plan import SourcePlan


def buffer_bytes(
    mlperf: MlperfBenchmark | None,
    features: FeaturePlan | None,
    answer: AnswerPlan | None,
    sensor: SourcePlan | None,
) -> int:
    """Bytes of their buffers together."""
    benchmark = BENCHMARKS[mlperf].ram_bytes if mlperf is not None else 0
    return benchmark + sum(part.ram_bytes for part in (features, answer, sensor) if part)
