"""Reads Renode's platform descriptions: of the format, what generated ones may use.

Line by line: `name: Group.Model @ sysbus PLACE`, then its attributes by four spaces.  A place is
an address or a range `<address, +bytes>`; an attribute is `name: value` or `IRQ -> name@number`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

Value = int | bool | str

_ENTRY = re.compile(r"(?P<name>[a-z]\w*): (?P<type>[A-Z]\w*\.[A-Z]\w*) @ sysbus(?: (?P<place>.+))?")
_PLACE = re.compile(r"0x([0-9A-F]{8})|<0x([0-9A-F]{8}), \+0x([0-9A-F]+)>")
_ATTRIBUTE = re.compile(r"    (?P<name>[A-Za-z]\w*): (?P<value>.+)")
_IRQ = re.compile(r"    IRQ -> (?P<to>[a-z]\w*)@(?P<line>\d+)")

# What the constructors of Renode 1.11 to 1.16 take: what they need, and what they may have.
MODELS: dict[str, tuple[set[str], set[str]]] = {
    "CPU.CortexM": ({"cpuType", "nvic"}, {"PerformanceInMips"}),
    "IRQControllers.NVIC": (set(), {"systickFrequency", "priorityMask"}),
    "Memory.ArrayMemory": ({"size"}, set()),
    "Memory.MappedMemory": ({"size"}, set()),
    "Timers.NRF52840_Timer": ({"numberOfEvents"}, set()),
    "Timers.STM32_Timer": ({"frequency", "initialLimit"}, set()),
    "UART.NRF52840_UART": (set(), {"easyDMA"}),
    "UART.STM32F7_USART": ({"frequency"}, {"lowPowerMode"}),
    "UART.STM32_UART": (set(), {"frequency"}),
}
SIZE_UNKNOWN = {"UART.STM32_UART", "Timers.STM32_Timer"}
"""Models that did not know in every version how many bytes their registers take."""


class ReplError(Exception):
    """Renode would refuse the description."""


@dataclass
class Entry:
    """One peripheral."""

    type: str
    base: int | None
    size: int | None
    attributes: dict[str, Value] = field(default_factory=dict)
    irq: tuple[str, int] | None = None

    @property
    def bytes(self) -> int:
        """How much of the address space it takes, where that is known."""
        size = self.attributes.get("size")
        return self.size or (size if isinstance(size, int) else 1)


def parse_repl(text: str) -> dict[str, Entry]:
    """The peripherals by name.  Raises ReplError that names the line."""
    entries: dict[str, Entry] = {}
    current: Entry | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.rstrip()
        if not line or line.startswith("//"):
            continue
        if entry := _ENTRY.fullmatch(line):
            if entry["name"] in entries:
                raise ReplError(f"line {number}: '{entry['name']}' is declared twice")
            base, size = _place(entry["place"], number)
            current = entries[entry["name"]] = Entry(entry["type"], base, size)
        elif current is None:
            raise ReplError(f"line {number}: an attribute of nothing: {line!r}")
        elif irq := _IRQ.fullmatch(line):
            current.irq = irq["to"], int(irq["line"])
        elif attribute := _ATTRIBUTE.fullmatch(line):
            current.attributes[attribute["name"]] = _value(attribute["value"], number)
        else:
            raise ReplError(f"line {number}: syntax error: {line!r}")
    _check_models(entries)
    _check_references(entries)
    _check_overlaps(entries)
    return entries


def _place(text: str | None, number: int) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ReplError(f"line {number}: no place: {text!r}")
    if match[1]:
        return int(match[1], 16), None
    return int(match[2], 16), int(match[3], 16)


def _value(text: str, number: int) -> Value:
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"0x[0-9A-Fa-f]+|\d+", text):
        return int(text, 0)
    if re.fullmatch(r'"[^"]*"', text):
        return text
    if re.fullmatch(r"[a-z]\w*", text):
        return text
    raise ReplError(f"line {number}: no value: {text!r}")


def _check_models(entries: dict[str, Entry]) -> None:
    for name, entry in entries.items():
        if entry.type not in MODELS:
            raise ReplError(f"{name}: Could not resolve type: '{entry.type}'")
        needed, possible = MODELS[entry.type]
        given = entry.attributes.keys()
        if needed - given or given - needed - possible:
            raise ReplError(f"{name}: {entry.type} takes {needed} and {possible}, not {given}")
        if (entry.base is None) != (entry.type == "CPU.CortexM"):
            raise ReplError(f"{name}: address missing, or out of place")
        if (entry.size is None) == (entry.type in SIZE_UNKNOWN):
            raise ReplError(f"{name}: range missing, or out of place")


def _check_references(entries: dict[str, Entry]) -> None:
    for name, entry in entries.items():
        names = [v for v in entry.attributes.values() if isinstance(v, str) and v[0] != '"']
        names += [entry.irq[0]] if entry.irq else []
        if missing := [other for other in names if other not in entries]:
            raise ReplError(f"{name}: there is no '{missing[0]}'")


def _check_overlaps(entries: dict[str, Entry]) -> None:
    placed = sorted((e.base, e.bytes, n) for n, e in entries.items() if e.base is not None)
    for (base, size, name), (next_base, _, next_name) in pairwise(placed):
        if base + size > next_base:
            raise ReplError(f"{name} and {next_name} overlap")
