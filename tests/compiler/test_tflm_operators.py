"""The list of TensorFlow Lite Micro's operators."""

from ai_edge_litert import schema_py_generated as schema

from tinyml_tool.compiler.lowering import LOWERINGS
from tinyml_tool.compiler.tflm_operators import TFLM_OPERATORS


def test_every_name_is_a_built_in_operator_of_the_schema():
    assert all(hasattr(schema.BuiltinOperator, name) for name in TFLM_OPERATORS)


def test_tflm_has_every_operator_that_engine_aot_supports():
    assert set(LOWERINGS) <= TFLM_OPERATORS


def test_operators_that_tflm_lacks_are_not_listed():
    assert not {"CUSTOM", "CONV_3D", "RNN", "LSTM", "TOPK_V2", "UNIQUE"} & TFLM_OPERATORS
