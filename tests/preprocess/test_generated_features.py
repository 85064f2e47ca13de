"""The generated C: only what the spec needs, strict, and without a read or write out of bounds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from feature_case import FORMAT, TABLES, raw_samples, spec_of

from tinyml_tool.boards import load_boards
from tinyml_tool.firmware.build_flags import C_WARNING_FLAGS, COMPILE_FLAGS, WARNING_FLAGS
from tinyml_tool.firmware.features_files import features_files
from tinyml_tool.preprocess.plan import ValueFormat
from tinyml_tool.preprocess.planning import plan_features
from tinyml_tool.toolchain.features_binding import FeatureStream
from tinyml_tool.toolchain.host import SANITIZERS, WARNINGS

REAL = ValueFormat()
CORES = [load_boards()[board].core for board in ("qemu-m0", "qemu-m4", "qemu-m55")]


def written(folder: Path, name: str, value_format: ValueFormat) -> list[str]:
    """The C of a spec in one folder; its names."""
    files = features_files(plan_features(spec_of(name), value_format))
    for path, text in files.items():
        (folder / Path(path).name).write_text(text)
    return [Path(path).name for path in files]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("value_format", [REAL, FORMAT], ids=["float32", "int8"])
def test_no_access_is_out_of_bounds_and_pieces_do_not_matter(
    tmp_path: Path, name: str, value_format: ValueFormat
) -> None:
    written(tmp_path, name, value_format)
    shutil.copy(Path(__file__).parent / "sanitized.c", tmp_path)
    command = ["gcc", "-std=c11", "-O1", "-ffp-contract=off", *WARNINGS, "-Werror", *SANITIZERS]
    sources = ["model_features.c", "sanitized.c", "-o", "sanitized"]
    subprocess.run([*command, *sources], cwd=tmp_path, check=True)
    samples = raw_samples(name, seed=5, amount=0.5)
    result = subprocess.run(
        [tmp_path / "sanitized"], input=samples.tobytes(), capture_output=True, check=False
    )
    assert result.returncode == 0, result.stderr.decode()
    stream = FeatureStream(plan_features(spec_of(name), value_format))
    assert result.stdout == stream.extract(samples).tobytes()
    assert result.stdout


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
def test_it_compiles_for_a_core_without_warning_and_needs_no_library(
    tmp_path: Path, name: str, core: object
) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    written(tmp_path, name, FORMAT)
    flags = [*core.gcc_flags, *COMPILE_FLAGS, *WARNING_FLAGS, *C_WARNING_FLAGS]  # type: ignore[attr-defined]
    command = ["arm-none-eabi-gcc", "-std=c11", *flags, "-Werror", "-c", "model_features.c"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    symbols = subprocess.run(
        ["arm-none-eabi-nm", "-u", "model_features.o"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    outside = {name for name in symbols if name != "U" and not name.startswith("__aeabi_")}
    assert outside <= {"memcpy", "memset", "memmove", "__clzsi2"}


@pytest.mark.parametrize("name", TABLES)
def test_only_blocks_that_are_used_are_there(tmp_path: Path, name: str) -> None:
    names = written(tmp_path, name, FORMAT)
    code = "\n".join((tmp_path / n).read_text() for n in names)
    for header in names:
        if header.endswith(".h") and header != "model_features.h":
            assert f'#include "{header}"' in code
    tables = re.findall(r"static const \w+ (\w+)\[", code)
    assert all(len(re.findall(rf"\b{table}\b", code)) > 1 for table in tables)
    assert all(len(line) <= 100 for line in code.splitlines())
    assert "\t" not in code


def test_generation_is_deterministic() -> None:
    plans = [plan_features(spec_of("summary"), FORMAT) for _ in range(2)]
    assert features_files(plans[0]) == features_files(plans[1])


def test_a_plain_grey_picture_needs_no_weights() -> None:
    plan = plan_features(spec_of("nearest"), FORMAT)
    assert [table.name for table in plan.tables] == ["starts_x", "starts_y", "values"]
    assert plan.tables[-1].values.dtype == np.int8


def test_what_it_takes_is_planned() -> None:
    """The compiler checks the plan: model_features.c asserts its size."""
    plan = plan_features(spec_of("kws"), FORMAT)
    assert plan.ram_bytes == 4 * (512 + 40 + 10 + 4) + 2 * 480 + 490 + 2 + 4
    assert plan.constant_bytes == sum(table.values.nbytes for table in plan.tables)
