"""Is this file a firmware for that board?  Asked before an emulator would run garbage."""

from __future__ import annotations

from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from tinyml_tool.boards import Board, MemoryRegion
from tinyml_tool.errors import DeviceError


def check_firmware(elf: Path, board: Board) -> None:
    """Raise DeviceError unless `elf` is a whole ELF file of Arm code in the memory of `board`."""
    if not elf.is_file():
        raise DeviceError(f"there is no firmware at {elf}", hint="build it first: `tinyml build`")
    try:
        for address, size in _loaded(elf):
            if not any(_covers(region, address, size) for region in _regions(board)):
                raise DeviceError(
                    f"{elf} is no firmware for {board.id}: it has {size:,} bytes at "
                    f"0x{address:08x}, where the board has no memory",
                    hint="build it for this board",
                )
    except OSError as error:
        raise DeviceError(f"{elf} cannot be read: {error.strerror}") from None


def _loaded(elf: Path) -> list[tuple[int, int]]:
    """(address, bytes) of everything that a loader writes to memory."""
    size = elf.stat().st_size
    with elf.open("rb") as stream:
        try:
            file = ELFFile(stream)
            machine = file["e_machine"]
            parts = [
                (part["p_paddr"], part["p_filesz"], part["p_offset"])
                for part in file.iter_segments()
                if part["p_type"] == "PT_LOAD" and part["p_filesz"]
            ]
        except (ELFError, ValueError, KeyError, IndexError) as error:
            raise DeviceError(
                f"{elf} is no ELF file, or a damaged one: {error}",
                hint="give the firmware that the build made",
            ) from None
    if machine != "EM_ARM" or not parts:
        raise DeviceError(f"{elf} holds no Arm code", hint="give the firmware that the build made")
    if any(offset + length > size for _, length, offset in parts):
        raise DeviceError(f"{elf} is cut off", hint="build it again")
    return [(address, length) for address, length, _ in parts]


def _regions(board: Board) -> tuple[MemoryRegion, ...]:
    return board.memory.flash, board.memory.ram


def _covers(region: MemoryRegion, address: int, size: int) -> bool:
    return region.origin <= address and address + size <= region.end
