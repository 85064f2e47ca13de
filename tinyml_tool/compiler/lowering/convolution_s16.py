"""CONV_2D and DEPTHWISE_CONV_2D on int16 for cores with DSP instructions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_tool.compiler.plan import ConstantArray, ConstantRef, KernelCall, ScratchRef
from tinyml_tool.compiler.weight_packing import STEP, plain_words

_FILTERS = 2
_PATCHES = 2
_ORDER = (0, 2, 1, 3)
"""Of four weights in a word: bytes 0 and 2 are the first pair, bytes 1 and 3 the second."""
_GENERAL = frozenset({"filter_c"})
"""Fields of the general kernel that this one has not."""


def pairs_call(general: KernelCall, weights: NDArray[Any] | None) -> KernelCall:
    """The call of `conv_2d_s16_pairs` instead of that of `conv_2d_s16`, where it can be used.

    weights: int8 [output_c, filter_h, filter_w, input_c]; None where the model computes them.
    """
    params = dict(general.params)
    if weights is None or weights.shape[3] != params["input_c"] or params["sums.wide"]:
        return general
    flat = weights.reshape(len(weights), -1)
    padded = np.pad(flat, ((0, 0), (0, -flat.shape[1] % STEP)))
    steps = padded.shape[1] // STEP
    ordered = padded.reshape(len(padded), steps, STEP)[:, :, _ORDER].reshape(padded.shape)
    words = plain_words(ordered, _FILTERS).reshape(-1)
    fields = [(name, value) for name, value in general.params if name not in _GENERAL]
    place = next(at for at, (name, _) in enumerate(fields) if name.startswith("sums."))
    fields.insert(place, ("steps", steps))
    source, _, *others, target = general.arguments
    return replace(
        general,
        kernel="conv_2d_s16_pairs",
        params=tuple(fields),
        arguments=(source, ConstantRef("filters"), *others, ScratchRef(), target),
        constants=(
            ConstantArray("filters", words, "two and two, for DSP instructions"),
            *general.constants,
        ),
        scratch_bytes=_PATCHES * steps * STEP * 2,
        reason=f"two patches by two filters; {general.reason}",
    )


def quads_call(general: KernelCall, weights: NDArray[Any] | None) -> KernelCall:
    """The call of `depthwise_conv_2d_s16_quads` instead of that of `depthwise_conv_2d_s16`.

    weights: int8 [1, filter_h, filter_w, channels]; None where the model computes them.  The
    general kernel's call where the other cannot be used.
    """
    params = dict(general.params)
    channels = params["input_c"]
    assert isinstance(channels, int)
    if weights is None or params["depth_multiplier"] != 1 or channels % STEP or params["sums.wide"]:
        return general
    ordered = weights.reshape(-1, STEP)[:, _ORDER].reshape(-1)
    source, _, *others = general.arguments
    return replace(
        general,
        kernel="depthwise_conv_2d_s16_quads",
        params=tuple(field for field in general.params if field[0] != "depth_multiplier"),
        arguments=(source, ConstantRef("filters"), *others),
        constants=(
            ConstantArray("filters", ordered, "of four channels: those of 0, 2, 1 and 3"),
            *general.constants,
        ),
        reason=f"four channels at a time; {general.reason}",
    )
