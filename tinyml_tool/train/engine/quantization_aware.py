"""The model that quantization-aware training fits: the folded one, rounded where int8 rounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf
from keras import activations, layers

from tinyml_tool.train.engine.fake_quant import FakeQuantActivation, FakeQuantLinear
from tinyml_tool.train.engine.fold_batch_norm import FOLDABLE
from tinyml_tool.train.engine.graph_rewrite import Call, calls_of, consumers_of, copied, rewrite
from tinyml_tool.train.engine.messages import EngineError

_SAME_SCALE = (
    layers.GlobalMaxPooling2D,
    layers.MaxPooling2D,
    layers.AveragePooling2D,
    layers.Flatten,
    layers.Reshape,
    layers.Dropout,
    layers.ZeroPadding2D,
)
"""Their output keeps the quantization of their input."""
_FIXED = {
    activations.softmax: (0.0, 255 / 256),
    activations.sigmoid: (0.0, 255 / 256),
    activations.tanh: (-1.0, 127 / 128),
}
"""Output ranges that TensorFlow Lite prescribes."""
_BATCH = 64


@dataclass(frozen=True)
class FakeQuantOptions:
    """How weights and activations are rounded."""

    weight_bits: int = 8
    ranges: str = "moving"
    per_channel: bool = True


@dataclass(eq=False)
class QuantizationAware:
    """A model that rounds as int8 does, and the float model it was made from."""

    model: keras.Model
    folded: keras.Model
    linear: dict[int, FakeQuantLinear] = field(default_factory=dict)
    """By id of the folded model's layer."""

    def _quantizers(self) -> list[FakeQuantActivation]:
        return [one for one in self.model.layers if isinstance(one, FakeQuantActivation)]

    def calibrate(self, x: Any) -> None:  # noqa: ANN401
        """Set all ranges to what samples reach in the model with rounded weights."""
        self._set("observing", True)
        for start in range(0, len(x), _BATCH):
            self.model(x[start : start + _BATCH], training=False)
        self._set("observing", False)

    def to_int8(self) -> bytes:
        """The full-int8 `.tflite` with the model's own ranges."""
        self._set("exporting", True)
        try:
            return _convert(self.model)
        finally:
            self._set("exporting", False)

    def to_float(self) -> keras.Model:
        """The folded model with the trained weights, which lie on their grid."""
        for layer in self.folded.layers:
            if id(layer) in self.linear:
                layer.set_weights(self.linear[id(layer)].trained())
        return self.folded

    def quantizations(self) -> list[tuple[float, int]]:
        """(scale, zero point) of each rounded activation, in the model's order."""
        pairs = [one.quantization() for one in self._quantizers()]
        return [(float(scale), int(zero_point)) for scale, zero_point in pairs]

    def _set(self, name: str, value: bool) -> None:
        for layer in self.model.layers:
            if hasattr(layer, name):
                setattr(layer, name, value)


def quantization_aware(folded: keras.Model, options: FakeQuantOptions) -> QuantizationAware:
    """Put fake quantization behind everything that int8 rounds."""
    calls = calls_of(folded)
    followers = consumers_of(calls)
    linear: dict[int, FakeQuantLinear] = {}
    copies: dict[int, Any] = {}

    def rounded(x: Any, function: Any = None) -> Any:  # noqa: ANN401
        if function in _FIXED:
            return FakeQuantActivation("fixed", *_FIXED[function])(x)
        return FakeQuantActivation(options.ranges)(x)

    def visit(call: Call, tensors: dict[int, Any]) -> Any:  # noqa: ANN401
        layer = call.operation
        function = _function(layer)
        if isinstance(layer, FOLDABLE):
            if id(layer) not in linear:
                linear[id(layer)] = FakeQuantLinear(
                    layer, options.weight_bits, per_channel=options.per_channel
                )
            x = linear[id(layer)](tensors[id(call.inputs[0])])
            if function is activations.linear:
                later = _fuses(call, followers) or _joins(call, followers, function)
                return x if later else rounded(x)
            if not _is_relu(function):
                x = rounded(x)
            x = layers.Activation(function)(x)
            return x if _joins(call, followers, function) else rounded(x, function)
        _check_weightless(layer)
        x = call.again(copied(layer, copies), tensors)
        if not isinstance(layer, layers.Layer) or isinstance(layer, _SAME_SCALE):
            return x
        if _fuses(call, followers) or _joins(call, followers, function):
            return x
        return rounded(x, function)

    model = rewrite(folded, visit, rounded)
    return QuantizationAware(model, folded, linear)


def _check_weightless(layer: Any) -> None:  # noqa: ANN401
    """Raise EngineError where int8 would round weights that training does not."""
    if isinstance(layer, layers.Layer) and layer.weights:
        raise EngineError(
            "input",
            f"layer {layer.name} ({type(layer).__name__}) has weights that quantization-aware "
            "training cannot round",
            "use Conv2D, DepthwiseConv2D and Dense, with batch normalisation right behind them; "
            "or another --method, and `tinyml quantize`",
        )


def _function(layer: Any) -> Any:  # noqa: ANN401
    if isinstance(layer, layers.ReLU):
        is_plain = layer.negative_slope == 0 and layer.threshold == 0
        return activations.relu if is_plain else None
    if isinstance(layer, layers.Softmax):
        return activations.softmax
    return getattr(layer, "activation", None)


def _is_relu(function: Any) -> bool:  # noqa: ANN401
    return function in (activations.relu, activations.relu6)


def _fuses(call: Call, followers: dict[int, list[Call]]) -> bool:
    """Whether a ReLU alone follows: the converter makes both one operator, rounded once."""
    after = followers.get(id(call.output), [])
    fusable = isinstance(call.operation, (*FOLDABLE, layers.Add, layers.Subtract, layers.Multiply))
    return fusable and len(after) == 1 and _is_relu(_function(after[0].operation))


def _joins(call: Call, followers: dict[int, list[Call]], function: Any) -> bool:  # noqa: ANN401
    """Whether a concatenation alone follows: its inputs have its own quantization."""
    after = followers.get(id(call.output), [])
    joins = len(after) == 1 and isinstance(after[0].operation, layers.Concatenate)
    return joins and function not in _FIXED


def _convert(model: keras.Model) -> bytes:
    shape = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32)
    function = tf.function(lambda x: model(x, training=False), autograph=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(shape)]
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    data: bytes = converter.convert()
    return data
