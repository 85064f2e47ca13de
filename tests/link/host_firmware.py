"""The firmware of a generated project as a program of this computer: all its C but lib/port."""

from __future__ import annotations

import subprocess
from pathlib import Path

from link_device import WARNINGS

_FAKE_PORT = Path(__file__).parent / "fake_device" / "fake_port.c"
SANITIZED = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FAST = ("-O2",)


def build_host_firmware(project: Path, program: Path, flags: tuple[str, ...] = SANITIZED) -> Path:
    """Compile as for a real board: every layer can be seen, no file of the host."""
    libraries = sorted(path for path in (project / "lib").iterdir() if path.is_dir())
    folders = [library for library in libraries if library.name not in ("port", "port_arduino")]
    sources = [source for folder in folders for source in sorted(folder.glob("*.c"))]
    sources += [*sorted((project / "src").glob("*.c")), _FAKE_PORT]
    includes = [*folders, project / "lib" / "port", project / "src"]
    command = ["gcc", "-std=c11", "-ffp-contract=off", *flags, *WARNINGS, "-o", str(program)]
    command += ["-DTINYML_SEMIHOSTING=0", "-DMODEL_OBSERVER=1"]
    command += [f"-I{folder}" for folder in includes]
    result = subprocess.run(
        [*command, *map(str, sources)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return program
