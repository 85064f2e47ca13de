"""The real C of the link as a process of this computer: fake_device/ stands for model and port."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tinyml_tool.devices.link.exchange import Timeouts
from tinyml_tool.errors import DeviceError
from tinyml_tool.firmware.link_config import LINK_CONFIG_HEADER, link_config_header
from tinyml_tool.firmware.protocol_header import PROTOCOL_HEADER, protocol_header
from tinyml_tool.resources import data_folder

_FAKES = Path(__file__).parent / "fake_device"
WARNINGS = (
    *("-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wstrict-prototypes"),
    *("-Wmissing-prototypes", "-Wundef", "-Wdouble-promotion", "-Wcast-align", "-Werror"),
)
_SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")


QUICK = Timeouts(connect=3, answer=0.2, answer_longest=1, give_up=5, work=10, probe=2)


@dataclass(frozen=True)
class Variant:
    """How a firmware is built."""

    name: str
    payload_bytes: int
    emulated: bool


EMULATED = Variant("emulated", 1024, emulated=True)
SMALL_BOARD = Variant("small_board", 256, emulated=False)


def write_link_headers(
    directory: Path, payload_bytes: int, *, emulated: bool = True, extras: bool = False
) -> None:
    (directory / PROTOCOL_HEADER).write_text(protocol_header())
    config = link_config_header(
        board="fake-board",
        build_id="b1d",
        tool_version="9.8.7",
        payload_bytes=payload_bytes,
        emulated=emulated,
        features=extras,
        answer=extras,
    )
    (directory / LINK_CONFIG_HEADER).write_text(config)


def build_device(directory: Path, variant: Variant) -> Path:
    """Compile the link, the application and the fakes with warnings as errors and sanitizers."""
    templates = data_folder("firmware_templates")
    write_link_headers(
        directory, variant.payload_bytes, emulated=variant.emulated, extras=variant.emulated
    )
    sources = [*sorted((templates / "link").glob("*.c")), templates / "app" / "main.c"]
    sources += sorted(_FAKES.glob("*.c"))
    includes = [directory, _FAKES, templates / "link", templates / "port"]
    defines = {"TINYML_SEMIHOSTING": variant.emulated, "MODEL_OBSERVER": variant.emulated}
    program = directory / variant.name
    command = ["gcc", "-std=c11", "-O1", *WARNINGS, *_SANITIZERS, "-o", str(program)]
    command += [f"-I{folder}" for folder in includes]
    command += [f"-D{name}={int(value)}" for name, value in defines.items()]
    result = subprocess.run(
        [*command, *map(str, sources)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    return program


@dataclass
class DeviceStream:
    """A device that runs as a process: a ByteStream over its stdin and stdout."""

    program: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None

    def __post_init__(self) -> None:
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.directory,
            env={**os.environ, **self.settings},
            bufsize=0,
        )

    def read(self, max_bytes: int, timeout: float) -> bytes:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], timeout)
        if not ready:
            return b""
        data = os.read(self._process.stdout.fileno(), max_bytes)
        if not data:
            raise DeviceError("the device ended: " + self.errors())
        return data

    def write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)

    def restart(self) -> None:
        """As if someone pressed the reset button."""
        self._process.kill()
        self._process.communicate()
        self._process = self._start()

    def errors(self) -> str:
        """What sanitizers said; waits for the end of the process."""
        assert self._process.stderr is not None
        return self._process.stderr.read().decode()

    def close(self) -> None:
        """End the process; a sanitizer's report fails the test."""
        process = self._process
        if process.stdin is None:
            return
        process.stdin.close()
        process.stdin = None  # communicate() would write to it
        try:
            _, errors = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            _, errors = process.communicate()
        assert b"ERROR" not in errors and b"runtime error" not in errors, errors.decode()


StartDevice = Callable[..., DeviceStream]
