"""From any feature spec to the C that it needs."""

from __future__ import annotations

from tinyml_tool.preprocess.audio_plan import audio_plan
from tinyml_tool.preprocess.audio_spec import AudioSpec
from tinyml_tool.preprocess.image_plan import image_plan
from tinyml_tool.preprocess.image_spec import ImageSpec
from tinyml_tool.preprocess.micro_audio_plan import micro_audio_plan
from tinyml_tool.preprocess.micro_audio_spec import MicroAudioSpec
from tinyml_tool.preprocess.plan import FeaturePlan, ValueFormat
from tinyml_tool.preprocess.series_plan import series_plan
from tinyml_tool.preprocess.series_spec import SeriesSpec
from tinyml_tool.preprocess.spec import FeatureSpec

FLOAT = ValueFormat()


def plan_features(spec: FeatureSpec, value_format: ValueFormat = FLOAT) -> FeaturePlan:
    """The plan of `spec` for an input of `value_format`.

    Raises ConfigError where the spec cannot be computed as it is.
    """
    match spec:
        case AudioSpec():
            return audio_plan(spec, value_format)
        case MicroAudioSpec():
            return micro_audio_plan(spec, value_format)
        case ImageSpec():
            return image_plan(spec, value_format)
        case SeriesSpec():
            return series_plan(spec, value_format)
