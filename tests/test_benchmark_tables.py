"""The benchmark's tables and its judgement, on made-up rows."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from rows import Row, read_rows, worse, write_rows  # noqa: E402
from tables import comparison, line  # noqa: E402

ROW = Row(
    "kws_ref_model",
    "qemu-m4",
    instructions=3_849_000,
    flash_bytes=46_000,
    minimal_flash_bytes=32_000,
    arena_bytes=10_000,
    macs=2_656_768,
    values_compared=10,
)


def test_the_comparison_tells_how_much_less_and_how_far_from_the_target() -> None:
    table = "\n".join(comparison([ROW]))
    assert "| kws | qemu-m4 | 3,849,000 | 7,698,000 | 2.00 | 2,900,000 | 1.33 |" in table
    assert "| kws | qemu-m4 | 10,000 | 22,820 | 2.28 | 9,300 | 1.08 |" in table


def test_a_model_that_nobody_else_measured_is_in_the_first_table_alone() -> None:
    row = replace(ROW, model="digits")
    assert "digits" in line(row)
    assert "digits" not in "\n".join(comparison([row]))


def test_a_model_that_does_not_fit_says_so() -> None:
    assert "does not fit" in line(Row("kws", "qemu-m0", fits=False))


@pytest.mark.parametrize(
    "field", ["instructions", "minimal_flash_bytes", "arena_bytes", "values_different"]
)
def test_one_more_than_in_the_baseline_is_worse(field: str) -> None:
    more = replace(ROW, **{field: getattr(ROW, field) + 1})
    assert len(worse([more], [ROW])) == 1
    assert not worse([ROW], [more])


def test_a_model_that_fits_no_more_is_worse() -> None:
    assert worse([replace(ROW, fits=False)], [ROW])


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_rows([replace(ROW, seconds=3.0)], tmp_path / "rows.json")
    assert read_rows(tmp_path / "rows.json") == [ROW]
