"""How PlatformIO builds firmware for this project's board."""

import shutil
import sys

from SCons.Script import AlwaysBuild, Default, DefaultEnvironment

PREFIX = "arm-none-eabi-"

env = DefaultEnvironment()
board = env.BoardConfig()

if shutil.which(PREFIX + "gcc") is None:
    sys.stderr.write(
        "Error: arm-none-eabi-gcc is not on PATH; on Debian or Ubuntu: "
        "sudo apt install gcc-arm-none-eabi libnewlib-arm-none-eabi\n"
    )
    env.Exit(1)

core = board.get("build.core_flags")
env.Replace(
    AR=PREFIX + "gcc-ar",
    AS=PREFIX + "gcc",
    CC=PREFIX + "gcc",
    CXX=PREFIX + "g++",
    GDB="gdb-multiarch",
    OBJCOPY=PREFIX + "objcopy",
    RANLIB=PREFIX + "gcc-ranlib",
    SIZETOOL=PREFIX + "size",
    PROGNAME="firmware",
    PROGSUFFIX=".elf",
    LDSCRIPT_PATH=board.get("build.linker_script"),
    SIZEPRINTCMD="$SIZETOOL -A -d $SOURCE",
)
env.Append(
    ASFLAGS=core,
    ASPPFLAGS=["-x", "assembler-with-cpp"],
    CCFLAGS=core
    + board.get("build.compile_flags")
    # No path of this machine gets into the binary: the same sources give the same bytes.
    + ["-ffile-prefix-map={}=.".format(env.subst("$PROJECT_DIR"))],
    CFLAGS=board.get("build.c_flags"),
    CXXFLAGS=board.get("build.cxx_flags"),
    LINKFLAGS=core + board.get("build.link_flags") + ["-Wl,-Map,${TARGET.base}.map"],
)

# The board's start-up code and drivers belong to the program whether or not it includes port.h.
if env.GetProjectOption("custom_port", "yes") == "yes":
    port = "$PROJECT_DIR/" + board.get("build.port")
    env.Append(CPPPATH=[port])
    env.BuildSources("$BUILD_DIR/port", port)

firmware = env.BuildProgram()
Default([firmware])

AlwaysBuild(env.Alias("size", firmware, env.VerboseAction("$SIZEPRINTCMD", "Sections of $SOURCE")))

command = board.get("emulator.command", [])
if command:
    env.AddPlatformTarget(
        "qemu",
        firmware,
        env.VerboseAction(
            " ".join(command + ["$SOURCE"]), "Running $SOURCE in QEMU (Ctrl-A, then X, ends it)"
        ),
        "Run in QEMU, with its serial port on this terminal",
    )
