"""The list of TensorFlow Lite Micro's operators."""

from ai_edge_litert import schema_py_generated as schema

from tinyml_tool.compiler.lowering import LOWERINGS
from tinyml_tool.compiler.tflm_operators import TFLM_OPERATORS


def test_every_name_is_a_built_in_operator_of_the_schema_or_a_custom_one():
    built_in = [name for name in TFLM_OPERATORS if not name.startswith("CUSTOM:")]
    assert all(hasattr(schema.BuiltinOperator, name) for name in built_in)


def test_tflm_has_every_operator_that_engine_aot_supports():
    assert set(LOWERINGS) <= set(TFLM_OPERATORS)


def test_operators_that_tflm_lacks_are_not_listed():
    assert {"CUSTOM", "CONV_3D", "RNN", "LSTM", "TOPK_V2", "UNIQUE"}.isdisjoint(TFLM_OPERATORS)


def test_no_two_operators_are_registered_by_the_same_method():
    methods = [operator.method for operator in TFLM_OPERATORS.values()]
    assert len(set(methods)) == len(methods)
