"""Compares what a device computes with the reference in every layer.

Bit for bit; only where the caller gives a tolerance, float values may be off by it (`rounding`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.errors import MismatchError
from tinyml_tool.graph.passes.rewrite import Rewriting, unchanged
from tinyml_tool.graph.types import Graph
from tinyml_tool.verify.rounding import deviations


class Runner(Protocol):
    """Something that runs one model: a device, generated C on the host, a reference."""

    def run(self, inputs: Sequence[NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """One inference: the model's outputs, in the model's order."""
        ...

    def run_layers(self, inputs: Sequence[NDArray[Any]]) -> Mapping[int, NDArray[Any]]:
        """One inference: every operator's outputs by tensor index."""
        ...


@runtime_checkable
class BatchRunner(Runner, Protocol):
    """A runner that does several inferences in one go faster than one by one."""

    @property
    def batch_size(self) -> int:
        """How many it likes at once; more pay off little."""
        ...

    def run_many(self, batch: Sequence[Sequence[NDArray[Any]]]) -> Sequence[Sequence[NDArray[Any]]]:
        """The model's outputs of each inference, in the order of the batch."""
        ...

    def run_layers_many(
        self, batch: Sequence[Sequence[NDArray[Any]]]
    ) -> Sequence[Mapping[int, NDArray[Any]]]:
        """Every operator's outputs by tensor index of each inference."""
        ...


@runtime_checkable
class ChecksumRunner(Runner, Protocol):
    """A runner that need not hand out a layer whose checksum is the expected one."""

    def run_layers_unlike(
        self, inputs: Sequence[NDArray[Any]], expected: Mapping[int, NDArray[Any]]
    ) -> Mapping[int, NDArray[Any] | None]:
        """As `run_layers`, but None for a tensor with the length and CRC-32 of the expected."""
        ...


@dataclass(frozen=True)
class Place:
    """Where a value belongs: an output of a layer, or of the model where `layer` is None."""

    tensor: int
    layer: int | None
    kind: str
    foretold: bool = False
    """Whether it is no value of the device, but one that a pass took for known."""

    def __str__(self) -> str:
        if self.layer is None:
            return f"the model's output %{self.tensor}"
        text = f"layer {self.layer} {self.kind}, tensor %{self.tensor}"
        return f"{text}, channels taken for constant" if self.foretold else text


@dataclass(frozen=True)
class Difference:
    """A value that is not the reference's."""

    vector: int
    """Which test input, from 0."""
    place: Place
    index: int
    """Position in the tensor seen as one row of values, from 0."""
    coordinates: tuple[int, ...]
    expected: float | int | bool
    actual: float | int | bool

    def __str__(self) -> str:
        at = ", ".join(map(str, self.coordinates))
        return (
            f"{self.place}, index {self.index} [{at}], test input {self.vector}: "
            f"expected {self.expected!r}, got {self.actual!r}"
        )


@dataclass(frozen=True)
class Parity:
    """What was compared and how much of it differed."""

    vectors: int
    """Test inputs."""
    layers: int
    """Layers of the firmware, whose outputs were all compared, for every test input."""
    values_compared: int
    """Values that the device computed."""
    values_different: int
    """Integers that differ in any bit, and floats that differ by more than the tolerance."""
    first_difference: Difference | None = None
    """In the first test input that differs, the first in order of execution."""
    values_by_checksum: int = 0
    """Of the values compared, those of layers with the right length and CRC-32, not looked at one
    by one.  A difference within four bytes in a row is always seen so; of others, one in 2**32 is
    not."""

    values_rounded: int = 0
    """Floats that differ, and by no more than the tolerance."""
    worst_rounding: float = 0.0
    """The most that one of those differs, as a share of its tensor's largest magnitude."""
    float_tolerance: float = 0.0
    """What was allowed, as such a share; 0 where floats had to have the same bits."""
    values_foretold: int = 0
    """Values of channels that a pass dropped as constant, compared with the reference's."""

    @property
    def exact(self) -> bool:
        """Whether something was compared and no bit differed."""
        return self.agrees and self.values_rounded == 0

    @property
    def agrees(self) -> bool:
        """Whether something was compared and nothing differed by more than is allowed."""
        return self.values_compared > 0 and self.values_different == 0


def compare(
    model: Graph | Rewriting,
    runner: Runner,
    reference: Runner,
    vectors: Sequence[Sequence[NDArray[Any]]],
    progress: Callable[[str], None] = lambda text: None,
    *,
    layers: bool = True,
    checksums: bool = False,
    float_tolerance: float = 0.0,
) -> Parity:
    """Run every vector on both and compare all layers' outputs, then the model's outputs.

    The layers are seen in an observed run; the model's outputs come from a run of their own,
    which is the one that an application does, and without `layers` the only one.  Values are
    compared as bits: a NaN equals itself, 0.0 differs from -0.0.  With `checksums`, a layer whose
    length and CRC-32 agree is not looked at any closer where the runner can spare it; the model's
    outputs are.  Floats that differ count as rounded where they do so by at most `float_tolerance`
    of their tensor's largest magnitude.

    Of a rewritten model, the runner has the layers that the passes left and the reference those of
    the model: each is compared in the channels that are left. What the passes took for constant is
    compared with the reference too.

    Raises MismatchError where the runner leaves a tensor out or gives one of another type or size,
    and whatever the runner and the reference raise.
    """
    rewriting = unchanged(model) if isinstance(model, Graph) else model
    tally = _Tally(float_tolerance)
    size = runner.batch_size if isinstance(runner, BatchRunner) else 1
    for start in range(0, len(vectors), size):
        batch = vectors[start : start + size]
        told = [reference.run_layers(inputs) if layers else {} for inputs in batch]
        wanted = [_left_of(rewriting, values) for values in told] if layers else None
        seen = _run_layers_many(runner, batch, wanted, checksums=checksums)
        answers = _run_many(runner, batch)
        for number, (inputs, values, layer_pairs, outputs) in enumerate(
            zip(batch, told, seen, answers, strict=True), start
        ):
            pairs = _pairs(rewriting, layer_pairs, reference.run(inputs), outputs)
            for pair in chain(_foretold_pairs(rewriting, values), pairs):
                tally.add(number, *pair)
        progress(f"compared test input {start + len(batch)} of {len(vectors)}")
    seen_layers = len(rewriting.graph.operators) - len(rewriting.in_bands)
    return tally.parity(len(vectors), seen_layers if vectors and layers else 0)


class _Tally:
    """Counts what agrees and what does not."""

    def __init__(self, float_tolerance: float) -> None:
        self._tolerance = float_tolerance
        self._compared = 0
        self._different = 0
        self._by_checksum = 0
        self._rounded = 0
        self._worst = 0.0
        self._foretold = 0
        self._first: Difference | None = None

    def add(
        self, vector: int, place: Place, expected: NDArray[Any], actual: NDArray[Any] | None
    ) -> None:
        """Compare one tensor of test input `vector`; None: its checksum is right.

        Raises MismatchError for another layout.
        """
        if place.foretold:
            self._foretold += int(expected.size)
        else:
            self._compared += int(expected.size)
        if actual is None:
            self._by_checksum += int(expected.size)
            return
        _check_layout(place, expected, actual)
        wrong = _different_indices(expected, actual)
        if wrong.size and self._tolerance > 0 and expected.dtype.kind == "f":
            wrong = self._without_rounded(wrong, expected, actual)
        self._different += int(wrong.size)
        if self._first is None and wrong.size:
            self._first = _difference(vector, place, int(wrong[0]), expected, actual)

    def parity(self, vectors: int, layers: int) -> Parity:
        """The result."""
        return Parity(
            vectors,
            layers,
            self._compared,
            self._different,
            self._first,
            self._by_checksum,
            self._rounded,
            self._worst,
            self._tolerance,
            self._foretold,
        )

    def _without_rounded(
        self, wrong: NDArray[np.intp], expected: NDArray[Any], actual: NDArray[Any]
    ) -> NDArray[np.intp]:
        """Those of the indices `wrong` that rounding does not explain; counts the others."""
        shares = deviations(expected, actual)[wrong]
        allowed = shares <= self._tolerance
        self._rounded += int(allowed.sum())
        self._worst = max(self._worst, float(shares[allowed].max(initial=0.0)))
        return wrong[~allowed]


def require_agreement(name: str, parity: Parity) -> None:
    """Raise MismatchError, telling the first difference, unless the parity `agrees`."""
    if parity.agrees:
        return
    first = parity.first_difference
    if first is None:
        raise MismatchError(f"{name}: nothing was compared", hint="give at least one test input")
    raise MismatchError(
        f"{name}: {parity.values_different} of {parity.values_compared} values differ from the "
        f"reference, first in {first}",
        hint=_hint(first.place),
        details=[f"first difference: {first}"],
    )


def _hint(place: Place) -> str:
    if place.layer is None:
        return (
            "every layer agrees in an observed run, the model's outputs without observer do not: "
            "memory is overwritten, or an input buffer was not filled again"
        )
    if place.foretold:
        return (
            "a graph pass dropped channels that are not constant; generate again with `--no-pass "
            "drop-dead-channels`, and please report it with the model and this message"
        )
    return (
        f"all layers before layer {place.layer} agree: its kernel, its constants or the memory "
        "plan is at fault; please report it with the model and this message"
    )


_Layers = Mapping[int, NDArray[Any]]
_Seen = Mapping[int, NDArray[Any] | None]
"""None: not fetched, its checksum is right."""

_Pair = tuple[Place, NDArray[Any], NDArray[Any] | None]


def _run_many(
    runner: Runner, batch: Sequence[Sequence[NDArray[Any]]]
) -> Sequence[Sequence[NDArray[Any]]]:
    if isinstance(runner, BatchRunner):
        return runner.run_many(batch)
    return [runner.run(inputs) for inputs in batch]


def _run_layers_many(
    runner: Runner,
    batch: Sequence[Sequence[NDArray[Any]]],
    expected: Sequence[_Layers] | None,
    *,
    checksums: bool,
) -> Sequence[tuple[_Layers, _Seen] | None]:
    """What each layer should have written in each inference, and what it has; None: do not look."""
    if expected is None:
        return [None] * len(batch)
    seen: Sequence[_Seen]
    if checksums and isinstance(runner, ChecksumRunner):
        together = zip(batch, expected, strict=True)
        seen = [runner.run_layers_unlike(inputs, wanted) for inputs, wanted in together]
    elif isinstance(runner, BatchRunner):
        seen = runner.run_layers_many(batch)
    else:
        seen = [runner.run_layers(inputs) for inputs in batch]
    return list(zip(expected, seen, strict=True))


def _pairs(
    rewriting: Rewriting,
    layers: tuple[_Layers, _Seen] | None,
    wanted: Sequence[NDArray[Any]],
    outputs: Sequence[NDArray[Any]],
) -> Iterator[_Pair]:
    """All that is to be compared for one test input: place, expected, actual."""
    graph = rewriting.graph
    if layers is not None:
        expected, seen = layers
        kinds = {operator.index: operator.kind for operator in rewriting.original.operators}
        for operator in graph.operators:
            for tensor in (index for index in graph.written(operator) if index >= 0):
                place = Place(tensor, operator.origin, kinds[operator.origin])
                yield place, _value(expected, place, "reference"), _value(seen, place, "device")
    yield from _output_pairs(graph, wanted, outputs)


def _left_of(rewriting: Rewriting, values: _Layers) -> _Layers:
    """The reference's values of the layers that are left, in the channels that are left."""
    left: dict[int, NDArray[Any]] = {}
    for index, value in values.items():
        channels = rewriting.graph.tensor(index).channels
        left[index] = value if channels is None else value[..., list(channels)]
    return left


def _foretold_pairs(rewriting: Rewriting, values: _Layers) -> Iterator[_Pair]:
    """The channels that the passes took for constant: what the reference has, and what they say.

    Nothing where no layer is looked at.
    """
    made = {index: op for op in rewriting.original.operators for index in op.outputs}
    for known in rewriting.foretold if values else ():
        operator = made[known.tensor]
        place = Place(known.tensor, operator.index, operator.kind, foretold=True)
        yield place, _value(values, place, "reference")[..., list(known.channels)], known.values


def _output_pairs(
    graph: Graph, expected: Sequence[NDArray[Any]], actual: Sequence[NDArray[Any]]
) -> Iterator[_Pair]:
    if len(expected) != len(graph.outputs) or len(actual) != len(graph.outputs):
        raise MismatchError(
            f"the model has {len(graph.outputs)} outputs; the reference gave {len(expected)}, "
            f"the device {len(actual)}"
        )
    for tensor, wanted, found in zip(graph.outputs, expected, actual, strict=True):
        yield Place(tensor, None, ""), wanted, found


_V = TypeVar("_V")


def _value(values: Mapping[int, _V], place: Place, source: str) -> _V:
    try:
        return values[place.tensor]
    except KeyError:
        raise MismatchError(f"{place}: the {source} gave no value for it") from None


def _check_layout(place: Place, expected: NDArray[Any], actual: NDArray[Any]) -> None:
    if actual.dtype != expected.dtype or actual.size != expected.size:
        raise MismatchError(
            f"{place}: expected {expected.size} values of type {expected.dtype}, "
            f"got {actual.size} of type {actual.dtype}"
        )


def _different_indices(expected: NDArray[Any], actual: NDArray[Any]) -> NDArray[np.intp]:
    return np.flatnonzero(_bits(expected) != _bits(actual))


def _bits(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array).reshape(-1).view(f"u{array.dtype.itemsize}")


def _difference(
    vector: int, place: Place, index: int, expected: NDArray[Any], actual: NDArray[Any]
) -> Difference:
    coordinates = np.unravel_index(index, expected.shape) if expected.shape else ()
    return Difference(
        vector=vector,
        place=place,
        index=index,
        coordinates=tuple(int(i) for i in coordinates),
        expected=expected.reshape(-1)[index].item(),
        actual=actual.reshape(-1)[index].item(),
    )
