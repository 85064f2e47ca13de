"""The networks that a search chooses from, and how one becomes another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tinyml_tool.errors import InputError
from tinyml_tool.train.architecture import Architecture, known_architectures, read_architecture

WIDTHS = (0.125, 0.1875, 0.25, 0.3125, 0.375, 0.4375, 0.5, 0.625, 0.75, 1.0, 1.5)
_DEPTHS = {
    "cnn": (1, 2, 3, 4),
    "ds_cnn": (1, 2, 3, 4),
    "mobilenet_v1": (2, 3, 4, 6, 8),
    "resnet8": (1, 2, 3),
    "conv1d": (1, 2, 3, 4),
    "tcn": (1, 2, 3, 4),
    "mlp": (1, 2, 3),
}
_KERNELS = {
    3: ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5)),
    2: ((3, 1), (5, 1), (7, 1), (9, 1)),
}
RESOLUTIONS = (1, 2, 4)


@dataclass(frozen=True)
class Candidate:
    """One network of the space."""

    architecture: Architecture
    resolution: int = 1
    """Places along each axis that are averaged to one before the network."""

    @property
    def id(self) -> str:
        """A short name that depends on content alone."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def to_json(self) -> dict[str, Any]:
        """As a job and the journal hold it."""
        return {"architecture": self.architecture.to_json(), "resolution": self.resolution}

    def __str__(self) -> str:
        pooled = f", averaged by {self.resolution}" if self.resolution > 1 else ""
        return f"{self.architecture}{pooled}"


def read_candidate(value: Mapping[str, Any]) -> Candidate:
    """A candidate from what `to_json` gave."""
    return Candidate(read_architecture(value["architecture"]), int(value["resolution"]))


@dataclass(frozen=True)
class SearchSpace:
    """Families of networks for samples of one shape."""

    families: tuple[str, ...]
    shape: tuple[int, ...]

    def random(self, rng: np.random.Generator) -> Candidate:
        """Any network of the space."""
        family = str(rng.choice(list(self.families)))
        return self._candidate(
            family,
            float(rng.choice(WIDTHS)),
            int(rng.choice(_DEPTHS[family])),
            int(rng.integers(len(self._kernels(family)) or 1)),
            int(rng.choice(self.resolutions())),
        )

    def mutated(self, parent: Candidate, rng: np.random.Generator) -> Candidate:
        """A neighbour: one or two of its numbers a step larger or smaller, seldom all new."""
        if rng.random() < 0.1:
            return self.random(rng)
        child = parent
        for _ in range(int(rng.integers(1, 3))):
            child = self._stepped(child, rng)
        return child

    def crossed(self, one: Candidate, other: Candidate, rng: np.random.Generator) -> Candidate:
        """Of two of one family each number from either."""
        if one.architecture.name != other.architecture.name:
            return self.mutated(one, rng)
        first, second = one.architecture, other.architecture
        picked = [bool(rng.random() < 0.5) for _ in range(4)]
        return Candidate(
            replace(
                first,
                width=second.width if picked[0] else first.width,
                depth=second.depth if picked[1] else first.depth,
                kernel=second.kernel if picked[2] else first.kernel,
            ),
            other.resolution if picked[3] else one.resolution,
        )

    def resolutions(self) -> tuple[int, ...]:
        """Factors that leave at least four places along each axis."""
        axes = self.shape[:-1]
        if not axes:
            return (1,)
        return tuple(factor for factor in RESOLUTIONS if factor == 1 or min(axes) // factor >= 4)

    def _kernels(self, family: str) -> tuple[tuple[int, int], ...]:
        known = known_architectures()[family]
        return _KERNELS.get(known.rank, ()) if "kernel" in known.parameters else ()

    def _candidate(
        self, family: str, width: float, depth: int, kernel: int, resolution: int
    ) -> Candidate:
        usual = known_architectures()[family].usual
        kernels = self._kernels(family)
        chosen = kernels[kernel % len(kernels)] if kernels else usual.kernel
        return Candidate(replace(usual, width=width, depth=depth, kernel=chosen), resolution)

    def _stepped(self, parent: Candidate, rng: np.random.Generator) -> Candidate:
        arch = parent.architecture
        kernels = self._kernels(arch.name)
        gene = str(rng.choice(["width", "width", "depth", "kernel", "resolution"]))
        if gene == "width":
            arch = replace(arch, width=_step(WIDTHS, arch.width, rng))
        elif gene == "depth":
            arch = replace(arch, depth=_step(_DEPTHS[arch.name], arch.depth, rng))
        elif gene == "kernel" and kernels:
            arch = replace(arch, kernel=_step(kernels, arch.kernel, rng))
        elif gene == "resolution":
            return Candidate(arch, _step(self.resolutions(), parent.resolution, rng))
        return Candidate(arch, parent.resolution)


def space_for(shape: tuple[int, ...], families: Sequence[str] = ()) -> SearchSpace:
    """All families that take samples of `shape` (without batch), or those named.

    Raises InputError for families that do not, or that a search does not know.
    """
    known = known_architectures()
    able = [name for name in _DEPTHS if name in known and known[name].rank in (0, len(shape))]
    if not able:
        raise InputError(f"no family of networks takes samples of {len(shape)} axes")
    unable = sorted(set(families) - set(able))
    if unable:
        raise InputError(
            f"family '{unable[0]}' is none that a search can take for samples of "
            f"{'x'.join(map(str, shape))}",
            hint=f"one of: {', '.join(able)}",
        )
    return SearchSpace(tuple(families) or tuple(able), shape)


def first_network(shape: tuple[int, ...], families: Sequence[str]) -> Architecture:
    """A network that says how samples of `shape` are to be shaped for all of a search.

    Raises InputError for an unknown family.
    """
    usual = {1: "mlp", 2: "conv1d", 3: "cnn"}.get(len(shape), "cnn")
    return read_architecture(families[0] if families else usual)


def _step(values: Sequence[Any], value: Any, rng: np.random.Generator) -> Any:  # noqa: ANN401
    """The next larger or smaller one of `values`."""
    place = values.index(value) if value in values else len(values) // 2
    step = 1 if rng.random() < 0.5 else -1
    return values[min(max(place + step, 0), len(values) - 1)]
