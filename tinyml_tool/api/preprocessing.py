"""What goes before and after a model in its firmware: planned for its inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_tool.api.answer_source import chosen_answer
from tinyml_tool.api.feature_source import chosen_features
from tinyml_tool.api.model_source import ModelSource
from tinyml_tool.boards import Board
from tinyml_tool.preprocess.answer_plan import AnswerPlan, answer_plan
from tinyml_tool.preprocess.answer_spec import AnswerSpec
from tinyml_tool.preprocess.model_plan import plan_for_model
from tinyml_tool.preprocess.plan import FeaturePlan
from tinyml_tool.preprocess.source_plan import SourcePlan, plan_source
from tinyml_tool.preprocess.source_spec import SourceSpec, parse_source
from tinyml_tool.preprocess.spec import FeatureSpec


def plan_preprocessing(
    source: ModelSource, features: Mapping[str, Any] | FeatureSpec | None
) -> FeaturePlan | None:
    """The preprocessing of a model by `features` or its metadata; None where it has none.

    Raises ConfigError and InputError where these are wrong or do not fit the model's input.
    """
    spec = chosen_features(source.data, source.graph.name, features)
    return plan_for_model(spec, source.graph) if spec is not None else None


def plan_answer(
    source: ModelSource, answer: Mapping[str, Any] | AnswerSpec | None
) -> AnswerPlan | None:
    """What a model's outputs say by `answer` or its metadata; None where neither tells it.

    Raises ConfigError where it is wrong, InputError where it does not fit the model's output.
    """
    spec = chosen_answer(source.data, source.graph.name, answer)
    return answer_plan(spec, source.graph) if spec is not None else None


def plan_sensor(
    sensor: Mapping[str, Any] | SourceSpec | None, features: FeaturePlan | None, board: Board
) -> SourcePlan | None:
    """What reads raw samples for `features` on a board; None without `sensor`.

    Raises ConfigError where it is wrong, where the board has none of it, or where it gives other
    samples than the features take.
    """
    if sensor is None:
        return None
    spec = parse_source(sensor, "[source]") if isinstance(sensor, Mapping) else sensor
    return plan_source(spec, features, board)
