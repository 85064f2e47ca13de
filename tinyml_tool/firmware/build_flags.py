"""What compiler and linker are told in every generated project, whatever the build system."""

from __future__ import annotations

from tinyml_tool.boards import Board

C_FLAGS = ("-std=c11",)
CXX_FLAGS = ("-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics")

COMPILE_FLAGS = (
    "-O2",
    "-g",
    "-ffunction-sections",
    "-fdata-sections",
    "-fno-common",
    "-ffp-contract=off",  # a fused multiply-add rounds differently from the reference
)

WARNING_FLAGS = (
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Wsign-conversion",
    "-Wshadow",
    "-Wundef",
    "-Wdouble-promotion",
    "-Wcast-align",
)
C_WARNING_FLAGS = ("-Wstrict-prototypes", "-Wmissing-prototypes")

LINK_FLAGS = ("-nostartfiles", "-Wl,--gc-sections")

LINKER_SCRIPT = "lib/port/link.ld"


def application_defines(board: Board) -> tuple[str, ...]:
    """Macros of the firmware: an emulator also gets its file lane and the layer observer."""
    emulated = int(board.emulator is not None)
    return (f"TINYML_SEMIHOSTING={emulated}", f"MODEL_OBSERVER={emulated}")


MINIMAL_DEFINES = ("TINYML_SEMIHOSTING=0", "MODEL_OBSERVER=0")


def qemu_command(board: Board) -> tuple[str, ...]:
    """How a person runs the firmware by hand; the path of the ELF file goes last.

    Empty where the board is not emulated by QEMU.
    """
    if board.emulator is None or board.emulator.kind != "qemu":
        return ()
    return (
        "qemu-system-arm",
        "-machine",
        board.emulator.machine,
        "-nographic",
        "-semihosting-config",
        "enable=on,target=native",
        "-kernel",
    )
