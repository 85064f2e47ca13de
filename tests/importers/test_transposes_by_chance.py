"""Random networks full of transposes: the answers must not change, whatever is removed."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from model_builder import ModelBuilder

from tinyml_tool.importers.normalise import normalise
from tinyml_tool.reference.litert import LitertReference

STEPS = ("transpose", "relu", "pad", "scale", "mean", "branch", "join", "reduce")
SHAPE = (1, 2, 3, 4)


class Chain:
    """A network that grows step by step; `random` decides the details."""

    def __init__(self, seed: int) -> None:
        self.builder = ModelBuilder()
        self.random = np.random.default_rng(seed)
        self.value = self.builder.input("float32", SHAPE, name="x")
        self.shape: tuple[int, ...] = SHAPE

    def grow(self, kind: str, inputs: list[int], shape: tuple[int, ...], **options: object) -> int:
        output = self.builder.tensor("float32", shape)
        self.value = self.builder.operator(kind, inputs, output, **options)
        self.shape = shape
        return self.value

    def numbers(self, values: object) -> int:
        return self.builder.constant(values, dtype="int32")

    def transpose(self) -> None:
        order = [0, *(int(axis) + 1 for axis in self.random.permutation(len(self.shape) - 1))]
        shape = tuple(self.shape[axis] for axis in order)
        self.grow("TRANSPOSE", [self.value, self.numbers(order)], shape)

    def relu(self) -> None:
        self.grow("RELU", [self.value], self.shape)

    def pad(self) -> None:
        paddings = self.random.integers(0, 2, (len(self.shape), 2))
        paddings[0] = 0
        shape = tuple(n + int(p.sum()) for n, p in zip(self.shape, paddings, strict=True))
        self.grow("PAD", [self.value, self.numbers(paddings)], shape)

    def scale(self) -> None:
        axes = int(self.random.integers(0, len(self.shape) + 1))
        shape = [
            n if self.random.random() < 0.6 else 1 for n in self.shape[len(self.shape) - axes :]
        ]
        factor = self.builder.constant(self.random.normal(size=shape).astype(np.float32))
        kind = "MUL" if self.random.random() < 0.5 else "SUB"
        pair = [self.value, factor] if self.random.random() < 0.7 else [factor, self.value]
        self.grow(kind, pair, self.shape)

    def mean(self) -> None:
        axis = int(self.random.integers(1, len(self.shape)))
        shape = tuple(1 if i == axis else n for i, n in enumerate(self.shape))
        self.grow("MEAN", [self.value, self.numbers([axis])], shape, keep_dims=True)

    def branch(self) -> None:
        """Two transposed copies, added."""
        trunk, shape, state = self.value, self.shape, self.random.bit_generator.state
        self.transpose()
        left = self.value
        self.value, self.shape = trunk, shape
        self.relu()
        self.random.bit_generator.state = state
        self.transpose()
        self.grow("ADD", [left, self.value], self.shape)

    def join(self) -> None:
        """Two transposed copies, one behind the other."""
        trunk, shape, state = self.value, self.shape, self.random.bit_generator.state
        self.transpose()
        left = self.value
        self.value, self.shape = trunk, shape
        self.relu()
        self.random.bit_generator.state = state
        self.transpose()
        axis = int(self.random.integers(1, len(self.shape)))
        joined = tuple(2 * n if i == axis else n for i, n in enumerate(self.shape))
        self.grow("CONCATENATION", [left, self.value], joined, axis=axis)

    def reduce(self) -> None:
        if len(self.shape) < 3:
            return
        axis = int(self.random.integers(1, len(self.shape)))
        shape = tuple(n for i, n in enumerate(self.shape) if i != axis)
        self.grow("MEAN", [self.value, self.numbers([axis])], shape, keep_dims=False)

    def dense(self) -> None:
        count = int(np.prod(self.shape))
        self.transpose()
        flat = self.numbers([1, count])
        self.grow("RESHAPE", [self.value, flat], (1, count), new_shape=[1, count])
        weights = self.builder.constant(self.random.normal(size=(3, count)).astype(np.float32))
        self.grow("FULLY_CONNECTED", [self.value, weights, -1], (1, 3))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=7),
    seed=st.integers(0, 10_000),
    ends_dense=st.booleans(),
)
def test_answers_stay_the_same(steps: list[str], seed: int, ends_dense: bool) -> None:
    chain = Chain(seed)
    for step in steps:
        getattr(chain, step)()
    if ends_dense:
        chain.dense()
    before = chain.builder.build([chain.value])
    after = normalise(before, "m", layout=False)
    x = np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)
    (wanted,) = LitertReference(before, "before").run([x])
    (found,) = LitertReference(after.data, "after").run([x])
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    steps=st.lists(st.sampled_from(("relu", "pad", "scale", "transpose")), min_size=1, max_size=5),
    seed=st.integers(0, 10_000),
)
def test_an_input_of_another_layout_gives_the_same_answers(steps: list[str], seed: int) -> None:
    chain = Chain(seed)
    for step in steps:
        getattr(chain, step)()
    chain.dense()
    before = chain.builder.build([chain.value])
    after = normalise(before, "m")
    x = np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)
    (wanted,) = LitertReference(before, "before").run([x])
    shape = after.graph.tensor(after.graph.inputs[0]).shape
    order = [SHAPE.index(n) for n in shape]  # all lengths differ
    moved = np.ascontiguousarray(np.transpose(x, order))
    (found,) = LitertReference(after.data, "after").run([moved])
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
