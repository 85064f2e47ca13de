"""The toolchain room: compilers, PlatformIO, CMake, and facts of the ELF."""
