"""Addresses become functions and lines, as far as the file knows them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from selftest_firmware import BOARDS, BuildFor

from tinyml_tool.boards import Board
from tinyml_tool.devices.symbols import Symbols

FUNCTIONS = ["main", "descend", "read_nowhere", "port_fault_report", "port_reset_handler"]


def addr2line(elf: Path, address: int) -> tuple[str, str]:
    """(function, line) as binutils tell them, innermost inlined function left out."""
    result = subprocess.run(
        ["arm-none-eabi-addr2line", "-e", str(elf), "-f", hex(address)],
        capture_output=True,
        text=True,
        check=True,
    )
    function, line = result.stdout.splitlines()
    return function, Path(line.split(" ")[0]).name


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_start_of_a_function_is_named_as_binutils_name_it(
    function: str, board: Board, selftest: BuildFor
) -> None:
    elf = selftest(board)
    symbols = Symbols(elf)
    address = symbols.value(function)
    assert address is not None
    address &= ~1
    name, line = addr2line(elf, address)
    assert name == function
    described = symbols.describe(address)
    assert described.startswith(f"{function}() at ")
    assert described.endswith(f"/{line}")


def test_addresses_throughout_a_function_have_the_lines_binutils_give(
    m4: Board, selftest: BuildFor
) -> None:
    elf = selftest(m4)
    symbols = Symbols(elf)
    start = (symbols.value("port_fault_report") or 0) & ~1
    for address in range(start, start + 120, 2):
        _, line = addr2line(elf, address)
        assert symbols.describe(address).endswith(f"/{line}")


def test_an_address_outside_every_function_stays_an_address(m4: Board, selftest: BuildFor) -> None:
    symbols = Symbols(selftest(m4))
    assert symbols.describe(0x20000000) == "0x20000000"
    assert not symbols.has_code(0x20000000)


def test_only_the_address_after_a_call_is_a_return_address(selftest: BuildFor) -> None:
    for board in BOARDS:
        symbols = Symbols(selftest(board))
        start = symbols.value("port_reset_handler") or 0
        found = [start + i for i in range(0, 80, 2) if symbols.is_return_address(start + i)]
        assert 2 <= len(found) <= 8, board.id  # stack paint, stack guard, start_program
        assert not symbols.is_return_address(start & ~1)


@pytest.mark.parametrize("content", [b"", b"no ELF", b"\x7fELF" + b"\0" * 100])
def test_a_file_without_symbols_gives_plain_addresses(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "strange.elf"
    path.write_bytes(content)
    symbols = Symbols(path)
    assert symbols.describe(0x1234) == "0x00001234"
    assert not symbols.knows_code
    assert symbols.is_return_address(0x1234)


def test_a_missing_file_gives_plain_addresses(tmp_path: Path) -> None:
    assert Symbols(tmp_path / "none.elf").describe(0x10) == "0x00000010"
