"""Layers that several architectures are made of; the converter folds each into one operator."""

from __future__ import annotations

from typing import Any

from keras import Model, layers

MOMENTUM = 0.9
"""Of batch statistics: small data sets have few batches to learn them from."""


def channels(base: int, width: float) -> int:
    """`base` channels times `width`, in steps of 4 (a word of int8), at least 4.

    >>> channels(64, 0.25), channels(16, 0.3), channels(8, 0.1)
    (16, 4, 4)
    """
    return max(4, int(base * width / 4 + 0.5) * 4)


def conv_bn_relu(
    x: Any,  # noqa: ANN401 - a Keras tensor
    filters: int,
    kernel: int | tuple[int, int],
    *,
    strides: int | tuple[int, int] = 1,
    padding: str = "same",
    dilation: int | tuple[int, int] = 1,
    relu: bool = True,
) -> Any:  # noqa: ANN401
    """Convolution, batch normalisation, ReLU."""
    x = layers.Conv2D(
        filters,
        kernel,
        strides=strides,
        padding=padding,
        dilation_rate=dilation,
        use_bias=False,
        kernel_initializer="he_normal",
    )(x)
    x = layers.BatchNormalization(momentum=MOMENTUM)(x)
    return layers.ReLU()(x) if relu else x


def separable(
    x: Any,  # noqa: ANN401
    filters: int,
    *,
    strides: int = 1,
) -> Any:  # noqa: ANN401
    """Depthwise 3x3, then 1x1 to `filters` channels, each with normalisation and ReLU."""
    x = layers.DepthwiseConv2D(
        3, strides=strides, padding="same", use_bias=False, depthwise_initializer="he_normal"
    )(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=MOMENTUM)(x))
    return conv_bn_relu(x, filters, 1)


def classifier(
    source: Any,  # noqa: ANN401
    x: Any,  # noqa: ANN401
    classes: int,
    dropout: float,
    name: str,
) -> Model:
    """Mean over all positions, dropout, one dense layer, softmax."""
    return head(source, layers.GlobalAveragePooling2D()(x), classes, dropout, name)


def head(
    source: Any,  # noqa: ANN401
    x: Any,  # noqa: ANN401
    classes: int,
    dropout: float,
    name: str,
) -> Model:
    """Dropout, one dense layer and softmax on a vector."""
    if dropout:
        x = layers.Dropout(dropout)(x)
    return Model(source, layers.Dense(classes, activation="softmax")(x), name=name)


def as_column(
    source: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """A series (time, channels) as a picture (time, 1, channels).

    Conv2D on it is one operator, where Conv1D becomes three.
    """
    steps, count = source.shape[1:]
    return layers.Reshape((steps, 1, count))(source)
