"""Gives PlatformIO the TensorFlow Lite Micro that TINYML_TFLM_DIR names, or the folder tflm/ here.

It holds upstream's headers and, for each kind of core, lib/<core>/libtensorflow-microlite.a.
"""

import os
import sys
from pathlib import Path

from SCons.Script import DefaultEnvironment

LIBRARY = "libtensorflow-microlite.a"
HEADER = "tensorflow/lite/micro/micro_interpreter.h"
THIRD_PARTY = ("third_party", "tensorflow/lite/micro/tools/make/downloads")

env = DefaultEnvironment()
project = Path(env.subst("$PROJECT_DIR"))
core = env.GetProjectOption("custom_tflm_core")


def stop(text):
    sys.stderr.write("Error: {}\n".format(text))
    env.Exit(1)


def first(paths):
    return next((path for path in paths if path.exists()), None)


named = os.environ.get("TINYML_TFLM_DIR")
folder = (Path(named).expanduser() if named else project / "tflm").resolve()
if not (folder / HEADER).is_file():
    stop("no TensorFlow Lite Micro: {} is not there; set TINYML_TFLM_DIR".format(folder / HEADER))
third_party = first(folder / place for place in THIRD_PARTY)
if third_party is None:
    stop("no TensorFlow Lite Micro: {} has no folder third_party".format(folder))
library = first(folder / place / LIBRARY for place in ("lib/" + core, "lib", ""))
if library is None:
    stop("no TensorFlow Lite Micro: {} is not there".format(folder / "lib" / core / LIBRARY))

includes = [
    folder,
    third_party / "flatbuffers" / "include",
    third_party / "gemmlowp",
    third_party / "ruy",
]
defines = ["TF_LITE_STATIC_MEMORY"]
if b"Register_CONV_2D_INT8Ev" in library.read_bytes():
    defines.append("CMSIS_NN")  # declares the registrations for single types that it has
env.Append(
    CPPDEFINES=defines,
    CXXFLAGS=[part for path in includes for part in ("-isystem", str(path))],
    # No path of this machine gets into the binary.
    CCFLAGS=["-ffile-prefix-map={}=tflm".format(folder)],
    LIBS=[env.File(str(library)), "m"],
)
