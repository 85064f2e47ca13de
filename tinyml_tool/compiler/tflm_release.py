"""Which TFLM a board's firmware is built with: upstream's, or the older one of a registry."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_tool.boards import Board


@dataclass(frozen=True)
class TflmRelease:
    """A TFLM that projects can be built with."""

    name: str
    package: str | None = None
    """The PlatformIO library, pinned; None where the user gives a directory."""
    missing: frozenset[str] = frozenset()
    """Methods of the resolver and registrations that upstream has and this one lacks."""


UPSTREAM = TflmRelease("upstream tflite-micro")
"""A directory with upstream's headers and library: TINYML_TFLM_DIR."""

ARDUINO = TflmRelease(
    "Chirale_TensorFLowLite 2.0.0",
    package="spaziochirale/Chirale_TensorFLowLite @ 2.0.0",
    missing=frozenset(
        {
            "AddBatchMatMul",
            "AddDecode",
            "AddDelay",
            "AddDynamicUpdateSlice",
            "AddEmbeddingLookup",
            "AddEnergy",
            "AddFftAutoScale",
            "AddFilterBank",
            "AddFilterBankLog",
            "AddFilterBankSpectralSubtraction",
            "AddFilterBankSquareRoot",
            "AddFramer",
            "AddIrfft",
            "AddOverlapAdd",
            "AddPCAN",
            "AddReduceAll",
            "AddReduceMin",
            "AddReverseV2",
            "AddRfft",
            "AddStacker",
            "AddWindow",
            "Register_AVERAGE_POOL_2D_INT16",
            "Register_MAXIMUM_INT8",
            "Register_MAX_POOL_2D_INT16",
            "Register_MINIMUM_INT8",
            "Register_PAD_INT8",
            "Register_TRANSPOSE_CONV_INT8",
            "Register_TRANSPOSE_INT8",
        }
    ),
)
"""The PlatformIO registry's latest TFLM (July 2024), for Arduino's mbed cores and the ESP32."""

ESP_IDF_COMPONENT = ("espressif/esp-tflite-micro", "1.4.0")
"""Of the ESP Component Registry: for projects of ESP-IDF, which PlatformIO's are not."""

_ARDUINO_BOARDS = ("nano33ble", "nanorp2040connect", "portenta_h7_m7")
"""PlatformIO's names of the boards with a core that the library names: mbed_nano, mbed_portenta."""


def release_for(board: Board) -> TflmRelease:
    """What the firmware of `board` is built with; on an emulated board always a directory."""
    ids = board.platformio
    if board.is_real and (ids.platform == "espressif32" or ids.board in _ARDUINO_BOARDS):
        return ARDUINO
    return UPSTREAM
