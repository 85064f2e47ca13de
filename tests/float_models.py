"""Small float models, built in memory, and data for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from model_builder import ModelBuilder
from numpy.typing import NDArray

CLASSES = 4
IMAGE = (8, 8, 1)


def float_classifier(*, loud_channel: float = 1.0, seed: int = 3) -> bytes:
    """8x8x1 -> conv 3x3 (6) -> depthwise 3x3 -> conv 1x1 (8) -> mean pool -> dense -> softmax.

    `loud_channel` multiplies the weights of one channel of the first layer.
    """
    random = np.random.default_rng(seed)
    builder = ModelBuilder()
    image = builder.input("float32", (1, *IMAGE), name="image")
    first = random.normal(0, 0.5, (6, 3, 3, 1)).astype(np.float32)
    first[2] *= loud_channel
    hidden = _conv(builder, image, first, (1, 8, 8, 6), "first", random)
    taps = random.normal(0, 0.4, (1, 3, 3, 6)).astype(np.float32)
    hidden = builder.operator(
        "DEPTHWISE_CONV_2D",
        [hidden, builder.constant(taps, name="taps"), _bias(builder, 6, random)],
        builder.tensor("float32", (1, 8, 8, 6), name="depthwise"),
        padding="SAME",
        stride_h=1,
        stride_w=1,
        dilation_h_factor=1,
        dilation_w_factor=1,
        depth_multiplier=1,
        fused_activation_function="RELU",
    )
    second = random.normal(0, 0.5, (8, 1, 1, 6)).astype(np.float32)
    hidden = _conv(builder, hidden, second, (1, 8, 8, 8), "second", random)
    pooled = builder.operator(
        "AVERAGE_POOL_2D",
        [hidden],
        builder.tensor("float32", (1, 1, 1, 8), name="pooled"),
        padding="VALID",
        stride_h=8,
        stride_w=8,
        filter_height=8,
        filter_width=8,
    )
    shape = builder.constant([1, 8], dtype="int32", name="shape")
    flat = builder.operator(
        "RESHAPE", [pooled, shape], builder.tensor("float32", (1, 8), name="flat"), new_shape=[1, 8]
    )
    weights = random.normal(0, 1, (CLASSES, 8)).astype(np.float32)
    scores = builder.operator(
        "FULLY_CONNECTED",
        [flat, builder.constant(weights, name="dense"), _bias(builder, CLASSES, random)],
        builder.tensor("float32", (1, CLASSES), name="scores"),
    )
    output = builder.operator(
        "SOFTMAX", [scores], builder.tensor("float32", (1, CLASSES), name="output"), beta=1.0
    )
    return builder.build([output])


def _conv(
    builder: ModelBuilder,
    source: int,
    weights: NDArray[np.float32],
    shape: tuple[int, ...],
    name: str,
    random: np.random.Generator,
) -> int:
    return builder.operator(
        "CONV_2D",
        [
            source,
            builder.constant(weights, name=f"{name}/weights"),
            _bias(builder, shape[3], random),
        ],
        builder.tensor("float32", shape, name=name),
        padding="SAME",
        stride_h=1,
        stride_w=1,
        dilation_h_factor=1,
        dilation_w_factor=1,
        fused_activation_function="RELU",
    )


def _bias(builder: ModelBuilder, count: int, random: np.random.Generator) -> int:
    return builder.constant(random.normal(0, 0.1, count).astype(np.float32))


def images(count: int, seed: int = 0) -> NDArray[np.float32]:
    """`count` images of smooth structure, values 0 to 1."""
    random = np.random.default_rng(seed)
    rows = np.linspace(0, 1, 8)
    waves = [
        np.sin(random.uniform(1, 9) * rows[:, None] + random.uniform(1, 9) * rows[None, :])
        for _ in range(count)
    ]
    return ((np.stack(waves) + 1) / 2).astype(np.float32)[..., None]


def float_file(folder: Path, model: bytes | None = None, name: str = "float.tflite") -> Path:
    """A model file in `folder`."""
    path = folder / name
    path.write_bytes(float_classifier() if model is None else model)
    return path


def data_file(folder: Path, count: int = 60, *, name: str = "data.npz") -> Path:
    """Images labelled with the float classifier's own answers: it is always right."""
    from tinyml_tool.reference.litert import LitertReference

    x = images(count)
    reference = LitertReference(float_classifier(), "float")
    y = [int(reference.run([image[None]])[0].argmax()) for image in x]
    path = folder / name
    np.savez(path, x=x, y=np.array(y))
    return path
