"""What TFLM's own build calls a processor core: the folder of its library."""

from __future__ import annotations

from tinyml_tool.boards import Core

LIBRARY = "libtensorflow-microlite.a"

_WITH_FPU = {"cortex-m4": "cortex-m4+fp", "cortex-m7": "cortex-m7+fp"}


def tflm_core_name(core: Core) -> str:
    """The value of TARGET_ARCH for upstream's target cortex_m_generic.

    A library for it lies in `lib/<this>/` of the directory that TINYML_TFLM_DIR names.
    """
    if core.fpu != "none":
        return _WITH_FPU.get(core.name, core.name)
    if core.name == "cortex-m33" and not core.dsp:
        return "cortex-m33+nodsp"
    return core.name
