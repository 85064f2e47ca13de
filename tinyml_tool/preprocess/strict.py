"""What all tables of a feature spec have in common: frozen, strict, no unknown key."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A frozen value whose keys and types are checked when it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


PerChannel: TypeAlias = Annotated[tuple[float, ...], Field(strict=False, min_length=1)]
"""A list of numbers, as TOML and JSON have it: one for all channels, or one for each."""
