"""Where `tt.load_features` finds a spec."""

from __future__ import annotations

from pathlib import Path

import pytest
from feature_case import TABLES, spec_of
from model_builder import ModelBuilder

import tinyml_tool as tt
from tinyml_tool.errors import ConfigError
from tinyml_tool.preprocess.spec_toml import features_toml


@pytest.mark.parametrize("name", TABLES)
def test_a_table_in_python_or_in_a_file_is_the_spec(name: str, tmp_path: Path) -> None:
    spec = spec_of(name)
    file = tmp_path / "any.toml"
    file.write_text(features_toml(spec))
    assert tt.load_features(file) == spec
    assert tt.load_features(spec.model_dump()) == spec


def test_a_wrong_key_of_a_table_is_told() -> None:
    with pytest.raises(ConfigError, match="windo"):
        tt.load_features({"kind": "series", "rate": 1, "windo": 3, "stride": 3})


def test_a_model_that_carries_features_is_a_source_of_them(tmp_path: Path) -> None:
    builder = ModelBuilder()
    x = builder.input("int8", (1, 3), scale=1.0, zero_point=0)
    y = builder.tensor("int8", (1, 3), scale=1.0, zero_point=0)
    builder.operator("RELU", [x], y)
    model = tmp_path / "model.tflite"
    model.write_bytes(builder.build([y]))
    table = {"kind": "series", "rate": 1, "window": 3, "stride": 3}
    tt.store_features(model, table)
    assert tt.load_features(model) == tt.load_features(table)
