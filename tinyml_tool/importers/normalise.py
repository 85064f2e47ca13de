"""Any float `.tflite` becomes one that the rest of the tool can work on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_tool.errors import UnsupportedModelError
from tinyml_tool.graph.checks import computes_in_floats
from tinyml_tool.graph.model_objects import pack, unpack
from tinyml_tool.graph.problem import layer_name
from tinyml_tool.graph.reader import parse_model
from tinyml_tool.graph.types import Graph
from tinyml_tool.importers.float_constants import unpack_constants
from tinyml_tool.importers.prune import prune
from tinyml_tool.importers.static_shapes import fix_shapes
from tinyml_tool.importers.tidy import tidy
from tinyml_tool.importers.transposes import remove_transposes
from tinyml_tool.preprocess.answer_spec import AnswerSpec
from tinyml_tool.preprocess.model_answer import answer_of_model, model_with_answer
from tinyml_tool.preprocess.model_features import features_of_model
from tinyml_tool.preprocess.model_plan import carrying
from tinyml_tool.preprocess.spec import FeatureSpec


@dataclass(frozen=True, eq=False)
class NormalModel:
    """A float model ready for quantization, and what was changed to make it so."""

    data: bytes
    graph: Graph
    changes: tuple[str, ...]
    features: FeatureSpec | None = None
    """What the source told of its raw samples."""
    answer: AnswerSpec | None = None
    """What the source told of its outputs."""

    def told(self, made: bytes) -> bytes:
        """`made`, a model that was made of this one, with what the source told in its metadata.

        Raises InputError where the features are not what it takes.
        """
        made = carrying(made, self.features, self.graph.name)
        if self.answer is None:
            return made
        return model_with_answer(made, self.answer, self.graph.name)


def normalise(
    data: bytes, name: str, *, shapes: Sequence[Sequence[int]] = (), layout: bool = True
) -> NormalModel:
    """Batch 1, static shapes, float32 weights, distinct names; layout transposes removed.

    `shapes` are the inputs' where the file leaves lengths open.  Without `layout` the inputs stay
    in the layout they have.  What the model computes stays as it is, but for the order of axes of
    inputs whose layout is changed.  Raises InvalidModelError for a damaged file,
    UnsupportedModelError for custom operators, open lengths, and a model that computes in integers.
    """
    graph = parse_model(data, name)
    _check(graph)
    features, answer = features_of_model(data, name), answer_of_model(data, name)
    model = unpack(data, name)
    changes = tidy(model)
    changes += unpack_constants(model)
    changes += fix_shapes(model, name, shapes)
    # Features make an input in the layout that the file has.
    changes += remove_transposes(model, inputs=layout and features is None)
    changes += prune(model)
    result = pack(model)
    return NormalModel(result, parse_model(result, name), tuple(changes), features, answer)


_STATEFUL = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")
_BRANCHING = ("WHILE", "IF", "STABLEHLO_WHILE", "STABLEHLO_CASE")


def _check(graph: Graph) -> None:
    kinds = (*_STATEFUL, *_BRANCHING)
    if dynamic := [operator for operator in graph.operators if operator.kind in kinds]:
        raise UnsupportedModelError(
            f"{graph.name} holds {len(dynamic)} operators with loops, branches or variables",
            hint="recurrent layers need unroll=True; state must be an input and an output",
            details=[layer_name(operator) for operator in dynamic],
        )
    custom = [operator for operator in graph.operators if operator.kind.startswith("CUSTOM")]
    if custom:
        raise UnsupportedModelError(
            f"{graph.name} holds {len(custom)} custom operators, which nothing here can run",
            hint="replace these layers by ones that TensorFlow Lite has, and convert again",
            details=[layer_name(operator) for operator in custom],
        )
    if not computes_in_floats(graph):
        types = {graph.tensor(index).dtype.value for index in (*graph.inputs, *graph.outputs)}
        raise UnsupportedModelError(
            f"{graph.name} is quantized already (inputs and outputs: {', '.join(sorted(types))})",
            hint="give the float model that it was made of",
        )
