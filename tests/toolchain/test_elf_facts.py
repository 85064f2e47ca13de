"""Facts read from ELF files, sound and damaged."""

import random
import struct
import subprocess

import pytest
from project_case import small_plan

from tinyml_tool.boards import load_board
from tinyml_tool.compiler.footprint import stack_bytes
from tinyml_tool.errors import BuildError
from tinyml_tool.toolchain.elf import elf_facts

BOARD = load_board("qemu-m4")


def damaged(content, tmp_path):
    path = tmp_path / "damaged.elf"
    path.write_bytes(content)
    with pytest.raises(BuildError) as caught:
        elf_facts(path, BOARD)
    return caught.value.message


def test_sizes_agree_with_the_size_program(built):
    said = subprocess.run(
        ["arm-none-eabi-size", "-B", "-d", built.elf], capture_output=True, text=True, check=True
    ).stdout
    text, data, bss = map(int, said.splitlines()[1].split()[:3])
    assert built.facts.flash_bytes == text + data
    assert built.facts.ram_bytes == data + bss


def test_the_arena_is_as_large_as_planned(built):
    assert built.facts.arena_bytes == small_plan().memory.arena_bytes


def test_the_stack_is_as_large_as_reserved(built):
    assert built.facts.stack_bytes == stack_bytes(BOARD)


def test_functions_have_addresses_and_sizes(built):
    main = built.facts.symbol("main")
    assert main is not None
    assert main.is_function
    assert main.address % 2 == 0
    assert main.bytes > 0
    assert main.section == ".text"


def test_an_unknown_symbol_is_none(built):
    assert built.facts.symbol("absent") is None


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(BuildError, match="cannot be read"):
        elf_facts(tmp_path / "absent.elf", BOARD)


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"nonsense" * 100])
def test_what_is_no_elf_file_is_refused(content, tmp_path):
    assert "not a usable firmware" in damaged(content, tmp_path)


def test_a_program_for_another_machine_is_refused(built, tmp_path):
    content = bytearray(built.elf.read_bytes())
    struct.pack_into("<H", content, 18, 62)
    assert "not a 32-bit little-endian Arm program" in damaged(bytes(content), tmp_path)


def test_an_object_file_is_refused(built, tmp_path):
    (objectfile, *_) = built.elf.parent.rglob("main.o")
    assert "not an executable program" in damaged(objectfile.read_bytes(), tmp_path)


def test_firmware_for_other_memory_is_refused(built):
    with pytest.raises(BuildError, match="outside the memory of qemu-m33"):
        elf_facts(built.elf, load_board("qemu-m33"))


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(built, tmp_path, part):
    content = built.elf.read_bytes()
    assert "not a usable firmware" in damaged(content[: int(len(content) * part)], tmp_path)


def test_random_damage_never_escapes_as_another_error(built, tmp_path):
    original = built.elf.read_bytes()
    generator = random.Random(1)
    path = tmp_path / "damaged.elf"
    refused = 0
    for _ in range(200):
        content = bytearray(original)
        header = generator.random() < 0.5
        start, end = (0, 52) if header else (len(content) - 1200, len(content))
        for _ in range(generator.randint(1, 8)):
            content[generator.randrange(start, end)] = generator.randrange(256)
        path.write_bytes(content)
        try:
            elf_facts(path, BOARD)
        except BuildError:
            refused += 1
    assert refused > 100
