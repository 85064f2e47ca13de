"""Feature specs by name, as well-known models were trained on."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "kws": {
        "kind": "audio",
        "sample_rate": 16_000,
        "window_ms": 30.0,
        "stride_ms": 20.0,
        "frames": 49,
        "window": "hann",
        "spectrum": "magnitude",
        "output": "mfcc",
        "bands": 40,
        "low_hz": 20.0,
        "high_hz": 4_000.0,
        "log": "natural",
        "log_offset": 1e-6,
        "coefficients": 10,
        "dct": "uniform",
    },
    "micro_speech": {
        "kind": "micro_audio",
        "sample_rate": 16_000,
        "window_ms": 30.0,
        "stride_ms": 20.0,
        "frames": 49,
        "bands": 40,
        "low_hz": 125.0,
        "high_hz": 7_500.0,
    },
}
"""kws: the MFCC of MLPerf Tiny's keyword spotting, without its scaling of each clip to its peak.
micro_speech: the audio front end of TensorFlow Lite Micro's example of that name.
"""
