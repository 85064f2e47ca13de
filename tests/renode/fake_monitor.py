"""Renode's monitor as far as generated scripts and the tool use it; refuses whatever else.

The commands and the words of refusals are those of Renode 1.14 and 1.16.
"""

from __future__ import annotations

import re
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from repl_parser import Entry, ReplError, parse_repl


class RefusedError(Exception):
    """The monitor does not do that."""


class Monitor:
    """The state of an emulation.  `firmware` is the program that plays the firmware's part.

    Without one, nothing runs and no port is opened: enough to see what a script does.
    """

    def __init__(self, directory: Path, firmware: list[str] | None = None) -> None:
        self.directory = directory
        self.firmware = firmware
        self.commands: list[str] = []
        self.variables = {"CWD": str(directory)}
        self.macros: dict[str, list[str]] = {}
        self.prefixes = ["sysbus"]
        self.machine: str | None = None
        self.platform: dict[str, Entry] = {}
        self.elf: Path | None = None
        self.vectors: int | None = None
        self.terminals: dict[str, socket.socket] = {}
        self.ports: dict[str, int] = {}
        self.connected: str | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.running = False
        self.instructions = 0

    def execute(self, command: str) -> str:
        """Run one command; what it prints.  Raises RefusedError."""
        self.commands.append(command)
        for pattern, action in _ACTIONS:
            if match := re.fullmatch(pattern, command):
                return action(self, *match.groups())
        raise RefusedError(f"No such command or device: {command.split(maxsplit=1)[0]}")

    def run_script(self, path: Path) -> None:
        """Run a `.resc` file."""
        self.variables["ORIGIN"] = str(path.parent)
        lines = iter(path.read_text().splitlines())
        for line in lines:
            text = line.strip()
            if not text or text[0] in "#:":
                continue
            if match := re.fullmatch(r"macro (\w+)", text):
                self.macros[match[1]] = _macro(lines)
            else:
                self.execute(text)

    def expand(self, text: str) -> str:
        """Replace variables, and take the @ from a path."""
        for name, value in self.variables.items():
            text = re.sub(rf"\${name}\b", value, text)
        if "$" in text:
            raise RefusedError(f"No such variable: {text}")
        return text.removeprefix("@")

    def file(self, text: str) -> Path:
        """The file that is named; relative names are found in the working directory."""
        path = self.directory / self.expand(text)
        if not path.is_file():
            raise RefusedError(f"Could not find file '{path.name}'.")
        return path

    def device(self, name: str) -> Entry:
        """A peripheral by its name on the bus."""
        if name not in self.platform:
            raise RefusedError("Parameters did not match the signature")
        return self.platform[name]


def _macro(lines: object) -> list[str]:
    body: list[str] = []
    assert next(lines).strip() == '"""'  # type: ignore[call-overload]
    while (line := next(lines).strip()) != '"""':  # type: ignore[call-overload]
        body.append(line)
    return body


def _create(monitor: Monitor, name: str | None = None) -> str:
    monitor.machine = name or "machine-0"
    return ""


def _load_platform(monitor: Monitor, path: str) -> str:
    if monitor.machine is None:
        raise RefusedError("No such command or device: machine")
    try:
        monitor.platform = parse_repl(monitor.file(path).read_text())
    except ReplError as error:
        raise RefusedError(f"Error E00: {error}") from None
    return ""


def _load_elf(monitor: Monitor, path: str) -> str:
    elf = monitor.file(path)
    if not monitor.platform or elf.read_bytes()[:4] != b"\x7fELF":
        raise RefusedError(f"Error while loading ELF: {elf.name}")
    monitor.elf = elf
    return ""


def _set_vectors(monitor: Monitor, cpu: str, address: str) -> str:
    monitor.device(cpu)
    monitor.vectors = int(address, 16)
    return ""


def _create_terminal(monitor: Monitor, port: str, name: str) -> str:
    monitor.ports[name] = int(port)
    if monitor.firmware is None:
        return ""
    try:
        monitor.terminals[name] = socket.create_server(("", int(port)), backlog=1)
    except OSError:
        raise RefusedError("Address already in use") from None
    return ""


def _connect(monitor: Monitor, uart: str, terminal: str) -> str:
    monitor.device(uart)
    if terminal not in monitor.ports:
        raise RefusedError("Parameters did not match the signature")
    monitor.connected = terminal
    return ""


def _start(monitor: Monitor) -> str:
    monitor.running = True
    if monitor.process is None and monitor.connected is not None and monitor.firmware:
        if monitor.elf is None or monitor.vectors is None:
            raise RefusedError("PC does not lay in memory or PC and SP are equal to zero.")
        monitor.process = subprocess.Popen(
            monitor.firmware, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        threading.Thread(target=_serve, args=(monitor,), daemon=True).start()
    return "Starting emulation...\n\n"


def _serve(monitor: Monitor) -> None:
    assert monitor.connected is not None
    process, (client, _) = monitor.process, monitor.terminals[monitor.connected].accept()
    assert process is not None and process.stdin is not None and process.stdout is not None

    def carry(read: Callable[[int], bytes | None], write: Callable[[bytes], object]) -> None:
        try:
            while data := read(4096):
                monitor.instructions += 1000 * len(data)
                write(data)
        except OSError:
            pass

    outwards = threading.Thread(target=carry, args=(process.stdout.read, client.sendall))
    outwards.daemon = True
    outwards.start()
    carry(client.recv, process.stdin.write)


def _pause(monitor: Monitor) -> str:
    monitor.running = False
    return "Pausing emulation...\n\n"


def _instructions(monitor: Monitor, cpu: str) -> str:
    monitor.device(cpu)
    if monitor.running:
        raise RefusedError("only exact while paused")
    return f"0x{monitor.instructions:016X}\n\n"


def _set_variable(monitor: Monitor, name: str, question: str, value: str) -> str:
    if not question or name not in monitor.variables:
        monitor.variables[name] = monitor.expand(value)
    return ""


def _run_macro(monitor: Monitor, name: str) -> str:
    for line in monitor.macros[name]:
        monitor.execute(line)
    return ""


def _include(monitor: Monitor, path: str) -> str:
    monitor.run_script(monitor.file(path))
    return ""


def _using(monitor: Monitor, prefix: str) -> str:
    monitor.prefixes.append(prefix)
    return ""


_Action = Callable[..., str]
_ACTIONS: list[tuple[str, _Action]] = [
    (r"echo \$(\w+)", lambda monitor, name: monitor.variables[name] + "\n\n"),
    (r"mach create(?: \"([\w-]+)\")?", _create),
    (r"machine LoadPlatformDescription (@?\S+)", _load_platform),
    (r"sysbus LoadELF (@?\S+)", _load_elf),
    (r"sysbus\.(\w+) VectorTableOffset (0x[0-9A-F]{8})", _set_vectors),
    (r'emulation CreateServerSocketTerminal (\d+) "(\w+)" false', _create_terminal),
    (r"connector Connect sysbus\.(\w+) (\w+)", _connect),
    (r"start", _start),
    (r"pause", _pause),
    (r"sysbus\.(\w+) ExecutedInstructions", _instructions),
    (r"\$(\w+)(\??)=(@?\S+)", _set_variable),
    (r"runMacro \$(\w+)", _run_macro),
    (r"(?:include|i) (@?\S+)", _include),
    (r"using (\w+)", _using),
]
