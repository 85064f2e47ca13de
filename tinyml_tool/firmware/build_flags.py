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

LINKER_SCRIPT = "link.ld"
"""In the folder of the port."""


def application_defines(board: Board) -> tuple[str, ...]:
    """Macros of the firmware: an emulator also gets the layer observer, QEMU its file lane too."""
    shares_files = board.emulator is not None
    return (f"TINYML_SEMIHOSTING={int(shares_files)}", f"MODEL_OBSERVER={int(board.is_emulated)}")


REAL_BOARD_DEFINES = ("TINYML_SEMIHOSTING=0", "MODEL_OBSERVER=1")
"""Of the firmware on a real board: validation over the wire looks at every layer."""

REAL_BOARD_FLAGS = ("-O2", "-fno-fast-math", "-ffp-contract=off")
REAL_BOARD_UNFLAGS = ("-Os", "-Ofast")
"""Frameworks compile for size, or with arithmetic that rounds differently from the reference."""

REAL_BOARD_WARNINGS = ("-Wall",)

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
