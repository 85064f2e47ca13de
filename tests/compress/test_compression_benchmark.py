"""The tables that the benchmark of compression prints, on made-up rows."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from compression import WAYS, section  # noqa: E402

from tinyml_tool.api.compression import Row  # noqa: E402
from tinyml_tool.api.cost import Cost  # noqa: E402
from tinyml_tool.train.compression import check_options  # noqa: E402

COST = Cost("qemu-m4", 13_116, 6_944, 2_848, 410_317, exact=True)
ROW = Row("int8", 0.9667, 450, 5_450, 19_304, COST)


def test_a_section_tells_quality_costs_and_what_could_not_be_measured() -> None:
    missing = Row("float (engine tflm)", 0.964, 450, 5_450, 27_024, why_not="no interpreter here")
    text = section("digits", "accuracy", [missing, ROW])
    assert text.startswith("## digits, 450 test samples\n\n| model | accuracy |")
    assert "| int8 | 0.967 | 5,450 | 19,304 | 13,116 | 6,944 | 410,317 |" in text
    assert text.endswith("|\n\n- float (engine tflm): no interpreter here.\n")


def test_a_device_that_answers_otherwise_ends_the_benchmark() -> None:
    wrong = replace(ROW, cost=replace(COST, exact=False))
    with pytest.raises(SystemExit, match="differs from the reference: int8"):
        section("digits", "accuracy", [wrong])
    floats = replace(wrong, name="float (engine tflm)")
    assert "410,317" in section("digits", "accuracy", [floats])


def test_every_way_has_a_name_of_its_own_and_options_of_its_method() -> None:
    assert len({way.name for way in WAYS}) == len(WAYS)
    for way in WAYS:
        check_options(way.method, way.options)
