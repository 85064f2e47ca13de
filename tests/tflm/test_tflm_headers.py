"""Our tables of operators and our C++ against upstream's own headers: those of TINYML_TFLM_DIR."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from shared import shared_model
from tflm_case import sources_of

from tinyml_tool.boards import load_board
from tinyml_tool.compiler.tflm_operators import TFLM_OPERATORS
from tinyml_tool.compiler.tflm_registrations import SPECIAL_REGISTRATIONS
from tinyml_tool.errors import ToolMissingError
from tinyml_tool.firmware.build_flags import CXX_FLAGS, WARNING_FLAGS
from tinyml_tool.toolchain.programs import find_program
from tinyml_tool.toolchain.tflm_directory import VARIABLE, check_headers

THIRD_PARTY = ("flatbuffers/include", "gemmlowp", "ruy")


@pytest.fixture(scope="module")
def headers() -> Path:
    place = os.environ.get(VARIABLE)
    if not place:
        pytest.skip(f"no TensorFlow Lite Micro: set {VARIABLE}, as docs/tflm.md tells")
    if find_program("arm-none-eabi-g++") is None:
        pytest.skip("arm-none-eabi-g++ is not installed")
    try:
        check_headers(Path(place))
    except ToolMissingError as error:
        pytest.skip(error.message)
    return Path(place)


def every_operator() -> str:
    """A C++ file that adds every operator in every way that tinyml knows."""
    lines = ["#define TF_LITE_STRIP_ERROR_STRINGS"]
    lines += [
        f'#include "tensorflow/lite/micro/{name}"'
        for name in (
            "micro_mutable_op_resolver.h",
            *sorted({f"kernels/{header}" for header, _ in SPECIAL_REGISTRATIONS.values()}),
        )
    ]
    lines.append("void add(tflite::MicroMutableOpResolver<200> &resolver) {")
    for kind, operator in TFLM_OPERATORS.items():
        lines.append(f"  resolver.{operator.method}();")
        _, specials = SPECIAL_REGISTRATIONS.get(kind, ("", ()))
        lines += [f"  resolver.{operator.method}(tflite::{s.name}());" for s in specials]
    return "\n".join([*lines, "}", ""])


@pytest.mark.parametrize("defines", [(), ("-DCMSIS_NN",)], ids=["reference", "cmsis_nn"])
def test_every_operator_and_registration_is_one_that_upstream_has(
    defines: tuple[str, ...], headers: Path, tmp_path: Path
) -> None:
    file = tmp_path / "every_operator.cpp"
    file.write_text(every_operator())
    done = compiled(file, headers, *defines)
    assert done.returncode == 0, done.stderr[:2000]


STRICT = (
    *WARNING_FLAGS,
    "-Wpedantic",
    "-Wold-style-cast",
    "-Wuseless-cast",
    "-Wcast-qual",
    "-Wnon-virtual-dtor",
    "-Woverloaded-virtual",
    "-Wmissing-declarations",
    "-Werror",
)


@pytest.mark.parametrize("observer", [0, 1])
@pytest.mark.parametrize(
    "name", ["hello_world_int8.tflite", "kws_ref_model.tflite", "person_detect.tflite"]
)
def test_our_own_cpp_compiles_without_a_warning(
    name: str, observer: int, headers: Path, tmp_path: Path
) -> None:
    sources = sources_of(shared_model(name).read_bytes())
    for path, text in sources.items():
        (tmp_path / Path(path).name).write_text(text)
    for file in ("model_tflm.cpp", "model_data.cc", "tflm_message.cpp"):
        done = compiled(tmp_path / file, headers, *STRICT, f"-DMODEL_OBSERVER={observer}")
        assert done.returncode == 0, done.stderr[:2000]


def compiled(file: Path, headers: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """As in a project for Cortex-M4, but without an object file."""
    third_party = headers / "third_party"
    if not third_party.is_dir():
        third_party = headers / "tensorflow/lite/micro/tools/make/downloads"
    places = [headers, *(third_party / name for name in THIRD_PARTY)]
    command = ["arm-none-eabi-g++", *load_board("qemu-m4").core.gcc_flags, *CXX_FLAGS, "-O2"]
    command += ["-fsyntax-only", "-DTF_LITE_STATIC_MEMORY", *flags]
    command += [part for place in places for part in ("-isystem", str(place))]
    return subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
