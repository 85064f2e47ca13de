"""A student that learns from a teacher's answers (Hinton et al. 2015) and, if asked, its features.

loss = share * T^2 * KL(teacher at T, student at T) + (1 - share) * the task's own
     + features * mean squared difference of the normalised features (Romero et al. 2015)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from tinyml_tool.train.engine.messages import EngineError

_SMALLEST = 1e-7


@dataclass(frozen=True)
class Distillation:
    """How much of what is learned from the teacher."""

    temperature: float = 4.0
    share: float = 0.7
    features: float = 0.0


@keras.saving.register_keras_serializable("tinyml")
class Distiller(keras.Model):
    """Trains `student`; the teacher stays as it is."""

    def __init__(self, student: keras.Model, teacher: keras.Model, how: Distillation) -> None:
        super().__init__()
        teacher.trainable = False
        self.student = student
        self._how = how
        self._teacher = _with_features(teacher)
        self._both = _with_features(student)
        widths = [model.outputs[1].shape[-1] for model in (self._both, self._teacher)]
        differ = how.features > 0 and widths[0] != widths[1]
        self._projection = layers.Dense(widths[1]) if differ else None
        self._features: Any = None
        self.build((None, *student.input_shape[1:]))

    def build(self, shape: Any) -> None:  # noqa: ANN401
        """Make the projection's weights."""
        if self._projection is not None:
            self._projection.build((None, self._both.outputs[1].shape[-1]))
        self.built = True
        del shape

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ANN401
        """The student's answers."""
        answers, features = self._both(x, training=training)
        self._features = features
        return answers

    def compute_loss(
        self,
        x: Any = None,  # noqa: ANN401
        y: Any = None,  # noqa: ANN401
        y_pred: Any = None,  # noqa: ANN401
        sample_weight: Any = None,  # noqa: ANN401
        training: bool = True,
    ) -> Any:  # noqa: ANN401
        """The blend of all losses."""
        how = self._how
        own = super().compute_loss(x, y, y_pred, sample_weight, training)
        answers, features = self._teacher(x, training=False)
        loss = how.share * _divergence(answers, y_pred, how.temperature) + (1 - how.share) * own
        if how.features:
            mine = self._features
            if self._projection is not None:
                mine = self._projection(mine)
            gap = _normalised(features) - _normalised(mine)
            loss = loss + how.features * ops.mean(ops.square(gap))
        return loss


def _divergence(teacher: Any, student: Any, temperature: float) -> Any:  # noqa: ANN401
    """T^2 * KL of softened answers; log(p) differs from the logits by a constant only."""
    soft = ops.softmax(ops.log(ops.maximum(teacher, _SMALLEST)) / temperature)
    mine = ops.log_softmax(ops.log(ops.maximum(student, _SMALLEST)) / temperature)
    gap = soft * (ops.log(ops.maximum(soft, _SMALLEST)) - mine)
    return temperature**2 * ops.mean(ops.sum(gap, axis=-1))


def _normalised(features: Any) -> Any:  # noqa: ANN401
    return features / (ops.sqrt(ops.mean(ops.square(features), axis=-1, keepdims=True)) + _SMALLEST)


def _with_features(model: keras.Model) -> keras.Model:
    """The model with a second output: what its last dense layer takes.  Raises EngineError."""
    dense = [layer for layer in model.layers if isinstance(layer, layers.Dense)]
    if not dense or dense[-1].output is not model.outputs[0]:
        raise EngineError(
            "input",
            f"model {model.name} does not end with a dense layer, so it has no features to learn",
            "distil classifiers that end with one dense layer and softmax",
        )
    return keras.Model(model.inputs, [model.outputs[0], dense[-1].input])
