"""What fake_device/fake_model.c computes, to compare with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

HASH = "00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0"
INPUT_0, LAYER_0, OUTPUT_0 = 700, 900, 300
_START = 2166136261


def random_inputs(seed: int) -> list[NDArray[Any]]:
    random = np.random.default_rng(seed)
    samples = random.integers(-128, 128, (1, INPUT_0), np.int8)
    return [samples, random.standard_normal(3).astype(np.float32)]


def _digest(data: bytes, digest: int) -> int:
    for byte in data:
        digest = (digest ^ byte) * 16777619 % 2**32
    return digest


def expected_layers(inputs: list[NDArray[Any]]) -> dict[int, bytes]:
    """By tensor index; 9 and 11 are the model's outputs, too."""
    samples = inputs[0].tobytes()
    digest = _digest(inputs[1].tobytes(), _digest(samples, _START))
    layer_0 = bytes(((digest >> (i % 24)) + i + samples[i % INPUT_0]) % 256 for i in range(LAYER_0))
    number = _digest(layer_0, _START).to_bytes(4, "little")
    return {7: layer_0, 9: layer_0[100 : 100 + OUTPUT_0], 11: number}


def expected_outputs(inputs: list[NDArray[Any]]) -> list[NDArray[Any]]:
    layers = expected_layers(inputs)
    return [
        np.frombuffer(layers[9], np.int8).reshape(1, OUTPUT_0),
        np.frombuffer(layers[11], np.int32),
    ]
