"""Channels whose values do not depend on the model's inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class KnownChannels:
    """What a tensor holds, for every input, at these indices of its last axis."""

    tensor: int
    channels: tuple[int, ...]
    values: NDArray[np.int8]
    """Of the tensor's shape, with `channels` as the last axis."""
