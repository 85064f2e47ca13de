"""What a user can choose when a model is quantized."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from tinyml_tool.errors import InputError

_Choice = TypeVar("_Choice", bound=StrEnum)


class Scheme(StrEnum):
    """Types inside the quantized model."""

    INT8 = "int8"
    """Weights and activations int8: what every engine runs."""
    INT16X8 = "int16x8"
    """Weights int8, activations int16."""
    MIXED = "mixed"
    """int8, with chosen layers int16x8."""
    INT4 = "int4"
    """Weights of chosen layers int4, activations and all other weights int8."""


class PortType(StrEnum):
    """Type of the model's inputs or outputs."""

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    FLOAT = "float"


@dataclass(frozen=True)
class QuantizationOptions:
    """How to quantize; None for a type means the scheme's own (int16 for int16x8, else int8)."""

    scheme: Scheme = Scheme.INT8
    input_type: PortType | None = None
    output_type: PortType | None = None
    int16_layers: tuple[str, ...] = ()
    """For `mixed`: layers of the float model, by number or by the name of their output tensor;
    none means that the noisiest are chosen."""
    dense_per_tensor: bool = False
    """One scale for all weights of a FULLY_CONNECTED layer, instead of one a channel."""
    int4_layers: tuple[str, ...] = ()
    """For `int4`: layers as above; none means all CONV_2D and FULLY_CONNECTED."""

    @property
    def native_type(self) -> PortType:
        """The type that activations have."""
        return PortType.INT16 if self.scheme is Scheme.INT16X8 else PortType.INT8

    @property
    def input(self) -> PortType:
        """The type of the inputs."""
        return self.input_type or self.native_type

    @property
    def output(self) -> PortType:
        """The type of the outputs."""
        return self.output_type or self.native_type


def parse_options(
    scheme: str,
    input_type: str | None = None,
    output_type: str | None = None,
    int16_layers: tuple[str, ...] = (),
    int4_layers: tuple[str, ...] = (),
    *,
    dense_per_tensor: bool = False,
) -> QuantizationOptions:
    """Options from words.  Raises InputError with the possible words."""
    options = QuantizationOptions(
        _member(Scheme, "scheme", scheme),
        None if input_type is None else _member(PortType, "input type", input_type),
        None if output_type is None else _member(PortType, "output type", output_type),
        tuple(int16_layers),
        dense_per_tensor,
        tuple(int4_layers),
    )
    if options.int16_layers and options.scheme is not Scheme.MIXED:
        raise InputError(
            f"layers in int16 are for scheme 'mixed', not '{options.scheme}'",
            hint="add --scheme mixed",
        )
    if options.int4_layers and options.scheme is not Scheme.INT4:
        raise InputError(
            f"layers with int4 weights are for scheme 'int4', not '{options.scheme}'",
            hint="add --scheme int4",
        )
    if options.scheme is Scheme.INT16X8 and PortType.UINT8 in (options.input, options.output):
        raise InputError(
            "scheme 'int16x8' cannot have uint8 inputs or outputs: TensorFlow Lite Micro does not "
            "convert between uint8 and int16",
            hint=f"use {PortType.INT16}, {PortType.INT8} or {PortType.FLOAT}",
        )
    return options


def _member(kind: type[_Choice], what: str, word: str) -> _Choice:
    try:
        return kind(word)
    except ValueError:
        raise InputError(
            f"there is no {what} '{word}'", hint=f"use {', '.join(member.value for member in kind)}"
        ) from None
