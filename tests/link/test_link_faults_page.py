"""docs/link-faults.md: the whole table of the benchmark, and what it must show."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def rows() -> list[dict[str, str]]:
    """The rows of the two tables by their head."""
    page = (REPOSITORY / "docs" / "link-faults.md").read_text()
    lines = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    head = lines[0]
    return [dict(zip(head, line, strict=True)) for line in lines if line != head]


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_the_columns_are_those_of_the_benchmark() -> None:
    source = (REPOSITORY / "benchmarks" / "link_faults.py").read_text()
    (head,) = re.findall(r'HEAD = \(\n    "(.*)"\n    "(.*)"\n\)', source)
    assert list(rows()[0]) == "".join(head).strip("| ").split(" | ")


def test_the_totals_are_those_of_the_rows_and_nothing_wrong_was_accepted() -> None:
    *lines, total, control = rows()
    assert total["line"] == "all"
    for column in list(total)[1:-1]:
        assert sum(number(row[column]) for row in lines) == number(total[column]), column
    assert number(total["values wrong"]) == 0
    assert all(
        number(row["exact"]) + number(row["failures told"]) == number(row["validations"])
        for row in lines
    )
    assert number(control["values wrong"]) > 0


def test_every_kind_of_bad_line_is_there() -> None:
    kinds = [row["line"] for row in rows()]
    wanted = ("0.01% of bytes", "2.00% of bytes", "5.00% of bytes", "protocol version 0")
    assert set(wanted) <= set(kinds)
    assert {"9,600 baud", "2,000,000 baud"} <= set(kinds)
    assert sum(kind.startswith("a reset in") for kind in kinds) == 3
