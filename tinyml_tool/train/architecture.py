"""Which networks can be trained, and with what parameters: as data, without TensorFlow."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from tinyml_tool.errors import InputError


@dataclass(frozen=True)
class Architecture:
    """A network's name and size.

    As text: `ds_cnn`, `ds_cnn:width=0.5,depth=3,kernel=10x4`; as TOML or JSON: a table of these.
    """

    name: str
    width: float = 1.0
    """Factor of all channel counts."""
    depth: int = 0
    """Blocks; what a block is depends on the network."""
    kernel: tuple[int, int] = (3, 3)
    """Of the first convolution; along time (convolutions on series) only the first number."""
    dropout: float = 0.1
    bottleneck: int = 8
    """Of an autoencoder."""

    @property
    def rank(self) -> int:
        """Axes of a sample: 3 picture, 2 series, 1 vector, 0 any."""
        return _KNOWN[self.name].rank

    @property
    def reconstructs(self) -> bool:
        """Whether it gives its input back, to detect anomalies by the difference."""
        return self.name == "autoencoder"

    def to_json(self) -> dict[str, Any]:
        """What a job and training.json hold."""
        return {**asdict(self), "kernel": list(self.kernel)}

    def __str__(self) -> str:
        usual = _KNOWN[self.name].usual
        told = [
            f"{field.name}={_text(getattr(self, field.name))}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(usual, field.name)
        ]
        return ":".join([self.name, *([",".join(told)] if told else [])])


@dataclass(frozen=True)
class Known:
    """A network on offer."""

    usual: Architecture
    rank: int
    about: str
    parameters: tuple[str, ...]
    """Which fields, besides `width`, it takes."""


_KNOWN = {
    known.usual.name: known
    for known in (
        Known(
            Architecture("cnn", depth=2),
            3,
            "plain convolutions with pooling, for small pictures; depth: convolutions",
            ("depth", "kernel", "dropout"),
        ),
        Known(
            Architecture("ds_cnn", depth=4),
            3,
            "depthwise separable, for keywords and small pictures; depth: blocks",
            ("depth", "kernel", "dropout"),
        ),
        Known(
            Architecture("mobilenet_v1", width=0.25, depth=13),
            3,
            "MobileNetV1, for pictures; depth: the first blocks of 13",
            ("depth", "kernel", "dropout"),
        ),
        Known(
            Architecture("resnet8", depth=3),
            3,
            "residual, for small pictures; depth: stacks",
            ("depth", "kernel", "dropout"),
        ),
        Known(
            Architecture("conv1d", depth=3, kernel=(5, 1)),
            2,
            "convolutions along time, for series; depth: convolutions",
            ("depth", "kernel", "dropout"),
        ),
        Known(
            Architecture("tcn", depth=4, kernel=(3, 1)),
            2,
            "causal dilated convolutions, for series; depth: blocks",
            ("depth", "kernel", "dropout"),
        ),
        Known(
            Architecture("lstm", depth=1),
            2,
            "unrolled LSTM, for series of few steps",
            ("dropout",),
        ),
        Known(
            Architecture("mlp", depth=2),
            0,
            "dense layers, for vectors; depth: hidden layers",
            ("depth", "dropout"),
        ),
        Known(
            Architecture("autoencoder", depth=3),
            1,
            "gives its input back, for anomalies; depth: layers before the bottleneck",
            ("depth", "bottleneck"),
        ),
    )
}
_MOST_DEPTH = 32
LSTM_STEPS = 64
"""Longest series of an unrolled LSTM: each step is about 20 operators."""


def known_architectures() -> Mapping[str, Known]:
    """All networks on offer, by name."""
    return _KNOWN


def read_architecture(spec: str | Mapping[str, Any] | Architecture) -> Architecture:
    """An architecture from text, a table or itself, complete and checked.  Raises InputError."""
    if isinstance(spec, Architecture):
        return _checked(spec)
    values = _parse(spec) if isinstance(spec, str) else dict(spec)
    name = str(values.pop("name", ""))
    if name not in _KNOWN:
        near = difflib.get_close_matches(name, _KNOWN, n=1)
        raise InputError(
            f"unknown architecture '{name}'" + (f", did you mean '{near[0]}'?" if near else ""),
            hint=f"one of: {', '.join(sorted(_KNOWN))}",
        )
    return _checked(replace(_KNOWN[name].usual, **{k: _value(k, v) for k, v in values.items()}))


def _parse(text: str) -> dict[str, Any]:
    name, _, rest = text.partition(":")
    pairs = [pair.partition("=") for pair in rest.split(",")] if rest else []
    return {"name": name.strip(), **{key.strip(): value.strip() for key, _, value in pairs}}


def _value(key: str, value: Any) -> Any:  # noqa: ANN401 - of TOML, JSON or text
    """A parameter's value in its type.  Raises InputError."""
    try:
        if key in ("depth", "bottleneck"):
            return int(value)
        if key in ("width", "dropout"):
            return float(value)
        if key == "kernel":
            numbers = value.split("x") if isinstance(value, str) else value
            numbers = [numbers] if isinstance(numbers, int) else list(numbers)
            height, width = [int(number) for number in numbers] * (3 - len(numbers))
            return height, width
    except (TypeError, ValueError):
        raise InputError(f"architecture: {key} = {value!r} is no value for it") from None
    names = ", ".join(field.name for field in fields(Architecture) if field.name != "name")
    raise InputError(f"architecture: unknown parameter '{key}'", hint=f"one of: {names}")


def _checked(arch: Architecture) -> Architecture:
    known = _KNOWN[arch.name]
    for name in ("depth", "kernel", "dropout", "bottleneck"):
        if name not in known.parameters and getattr(arch, name) != getattr(known.usual, name):
            raise InputError(
                f"architecture {arch.name} takes no '{name}'",
                hint=f"it takes: width, {', '.join(known.parameters)}",
            )
    if not 0 < arch.width <= 16:
        raise InputError(f"architecture: width {arch.width:g} is not above 0 and at most 16")
    if not 1 <= arch.depth <= _MOST_DEPTH:
        raise InputError(f"architecture: depth {arch.depth} is not from 1 to {_MOST_DEPTH}")
    if not 0 <= arch.dropout < 1:
        raise InputError(f"architecture: dropout {arch.dropout:g} is not from 0 to below 1")
    if min(arch.kernel) < 1 or arch.bottleneck < 1:
        raise InputError("architecture: kernel and bottleneck must be at least 1")
    return arch


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
