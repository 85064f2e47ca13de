"""Faults of a Cortex-M: from the line that the firmware's handler writes to what happened.

The line comes from `firmware_templates/port/fault.c`; the bits are those of the Armv7-M and
Armv8-M architecture reference manuals (CFSR, HFSR, SFSR).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from itertools import groupby

from tinyml_tool.devices.symbols import Symbols
from tinyml_tool.errors import DeviceFaultError

FAULT_EXIT_STATUS = 125
"""PORT_EXIT_FAULT of port.h."""

_MARK = "!fault "

_MEMORY_ADDRESS_VALID = 1 << 7
_BUS_ADDRESS_VALID = 1 << 15
_SECURE_ADDRESS_VALID = 1 << 6
_DATA_ACCESS = (1 << 1) | (1 << 9) | (1 << 10)
_UNDEFINED_INSTRUCTION = 1 << 16
_INVALID_STATE = 1 << 17
_STACKING = (1 << 4) | (1 << 12)

_CFSR = {
    0: ("MemManage", "instruction fetch from a place without code"),
    1: ("MemManage", "data access that the memory protection forbids"),
    3: ("MemManage", "return from an exception, stack not accessible"),
    4: ("MemManage", "entry to an exception, stack not accessible"),
    5: ("MemManage", "saving floating-point registers"),
    8: ("BusFault", "instruction fetch"),
    9: ("BusFault", "precise data access"),
    10: ("BusFault", "imprecise data access: the place is a little before the one named"),
    11: ("BusFault", "return from an exception, stack not accessible"),
    12: ("BusFault", "entry to an exception, stack not accessible"),
    13: ("BusFault", "saving floating-point registers"),
    16: ("UsageFault", "undefined instruction"),
    17: ("UsageFault", "jump to an even address, which is not Thumb code"),
    18: ("UsageFault", "wrong exception return"),
    19: ("UsageFault", "coprocessor or FPU that is off or missing"),
    20: ("UsageFault", "stack limit"),
    24: ("UsageFault", "unaligned access"),
    25: ("UsageFault", "division by zero"),
}
_SFSR = {
    0: ("SecureFault", "wrong entry to secure code"),
    1: ("SecureFault", "wrong signature of a stack frame"),
    2: ("SecureFault", "wrong exception return"),
    3: ("SecureFault", "access to non-secure memory that the attribution unit forbids"),
    4: ("SecureFault", "wrong transition out of the secure state"),
    5: ("SecureFault", "saving floating-point registers"),
    7: ("SecureFault", "saving floating-point registers"),
}
_HFSR_VECTOR_TABLE = 1 << 1


@dataclass(frozen=True)
class Fault:
    """What the fault handler, or an emulator that gave up, reported.  Unknown numbers are 0.

    `stack` is the size of the stack in bytes; `calls` are words found on it that look like return
    addresses, the innermost first.
    """

    kind: str
    exception: int = 0
    cfsr: int = 0
    hfsr: int = 0
    mmfar: int = 0
    bfar: int = 0
    sfsr: int = 0
    sfar: int = 0
    pc: int = 0
    lr: int = 0
    psr: int = 0
    sp: int = 0
    stack: int = 0
    calls: tuple[int, ...] = ()


_NUMBERS = frozenset(field.name for field in fields(Fault)) - {"kind", "calls"}


def parse_fault(line: str) -> Fault | None:
    """Read the fault handler's line; None where `line` is none, or is damaged."""
    at = line.find(_MARK)
    if at < 0:
        return None
    values = dict(
        part.split("=", 1) for part in line[at + len(_MARK) :].split() if part.count("=") == 1
    )
    try:
        numbers = {name: int(values[name], 16) for name in _NUMBERS & values.keys()}
        calls = tuple(int(word, 16) for word in values["calls"].split(",") if word)
        return Fault(kind=values["kind"], calls=calls, **numbers)
    except (KeyError, ValueError):
        return None


def parse_lockup(messages: str) -> Fault | None:
    """Read QEMU's last words when the core locked up: `fatal: Lockup` and the registers."""
    if "Lockup" not in messages:
        return None
    registers = {
        int(number): int(value, 16)
        for number, value in re.findall(r"\bR(\d\d)=([0-9a-f]{8})\b", messages)
    }
    return Fault(
        kind="lockup",
        sp=registers.get(13, 0),
        lr=registers.get(14, 0),
        pc=registers.get(15, 0),
    )


def fault_error(fault: Fault, symbols: Symbols | None = None) -> DeviceFaultError:
    """The error for the user: which fault, at what address, in which function and line.

    `details` holds the decoded status bits and the chain of calls.  Without `symbols` (the ELF
    file of the running firmware) places are plain addresses.
    """
    places = symbols or Symbols.none()
    if _overflowed(fault, places):
        return _stack_overflow(fault, places)
    what = _what(fault, places)
    address = _data_address(fault)
    where = f" at address 0x{address:08x}" if address is not None else ""
    return DeviceFaultError(
        f"{what}{where}{_place(fault, places)}",
        hint=_hint(fault, places),
        details=_details(fault, places),
    )


def _overflowed(fault: Fault, places: Symbols) -> bool:
    if fault.kind == "stack-overflow":
        return True
    limit = places.value("port_stack_limit")
    return fault.kind == "lockup" and limit is not None and fault.sp <= limit


def _stack_overflow(fault: Fault, places: Symbols) -> DeviceFaultError:
    calls = [places.call_before(word) for word in fault.calls if places.is_return_address(word)]
    where = f", in or below {calls[0]}" if calls else ""
    size = fault.stack or places.distance("port_stack_limit", "port_stack_top")
    bytes_text = f": all {size:,} bytes of the stack are used" if size else ""
    return DeviceFaultError(
        f"stack overflow{bytes_text}{where}",
        hint="give the stack more bytes, or move large local arrays to static memory",
        details=_details(fault, places),
    )


def _what(fault: Fault, places: Symbols) -> str:
    if _jumped_away(fault, places):
        name = "UsageFault" if fault.cfsr & _INVALID_STATE else "HardFault"
        if fault.pc < 16:
            return f"{name} (call of a null function pointer)"
        return f"{name} (jump to 0x{fault.pc:08x}, where there is no code)"
    reasons = _reasons(fault)
    if reasons:
        name, reason = reasons[0]
        return f"{name} ({reason})"
    return _without_reason(fault, places)


def _hint(fault: Fault, places: Symbols) -> str:
    if _jumped_away(fault, places):
        return "a function pointer was never set, or something wrote over it or over the stack"
    if fault.cfsr & _UNDEFINED_INSTRUCTION:
        return "a trap that the compiler or an assertion put there, or code built for another core"
    if fault.cfsr & _DATA_ACCESS or fault.kind == "hard":
        return "a pointer was never set, or an index is outside its array"
    return "the details name the registers and the calls that led there"


def _without_reason(fault: Fault, places: Symbols) -> str:
    if fault.kind == "lockup":
        return "lockup (a fault inside a fault handler)"
    if fault.hfsr & _HFSR_VECTOR_TABLE:
        return "HardFault (vector table not readable)"
    if fault.kind == "hard":
        return f"HardFault ({_guess(fault, places)})"
    return f"unexpected exception {fault.exception}"


def _reasons(fault: Fault) -> list[tuple[str, str]]:
    """Every set status bit, the most telling first."""
    bits = [_CFSR[bit] for bit in _CFSR if fault.cfsr >> bit & 1 and not _STACKING >> bit & 1]
    secure = [_SFSR[bit] for bit in _SFSR if fault.sfsr >> bit & 1]
    stacking = [_CFSR[bit] for bit in _CFSR if fault.cfsr >> bit & 1 and _STACKING >> bit & 1]
    return bits + secure + stacking


def _guess(fault: Fault, places: Symbols) -> str:
    """Armv6-M tells no reason, but the instruction often does."""
    instruction = places.halfword(fault.pc)
    if instruction is None:
        return "no reason known"
    if instruction >> 8 == 0xDE:
        return "undefined instruction"
    if instruction >> 12 in range(4, 10) and instruction >> 10 != 0b010001:
        return "probably a bad or unaligned address: the instruction reads or writes memory"
    return "no reason known: Armv6-M does not tell"


def _jumped_away(fault: Fault, places: Symbols) -> bool:
    """Whether the program counter left the code: then only the caller is worth naming."""
    if fault.pc == 0:
        return bool(fault.lr)
    return places.knows_code and not places.has_code(fault.pc)


def _data_address(fault: Fault) -> int | None:
    if fault.cfsr & _BUS_ADDRESS_VALID:
        return fault.bfar
    if fault.cfsr & _MEMORY_ADDRESS_VALID:
        return fault.mmfar
    if fault.sfsr & _SECURE_ADDRESS_VALID:
        return fault.sfar
    return None


def _place(fault: Fault, places: Symbols) -> str:
    if _jumped_away(fault, places):
        return f", from {places.call_before(fault.lr)}" if fault.lr else ""
    return f" in {places.describe(fault.pc)}" if fault.pc else ""


def _details(fault: Fault, places: Symbols) -> list[str]:
    registers = ("pc", "lr", "sp", "cfsr", "hfsr", "mmfar", "bfar", "sfsr", "sfar")
    lines = [
        " ".join(f"{name}=0x{getattr(fault, name):08x}" for name in registers[:3]),
        " ".join(
            f"{name}=0x{getattr(fault, name):08x}" for name in registers[3:] if getattr(fault, name)
        ),
    ]
    lines += [f"{name}: {reason}" for name, reason in _reasons(fault)]
    calls = [places.call_before(word) for word in _return_addresses(fault, places)]
    lines += [f"called from {call}" for call in _counted(calls)]
    return [line for line in lines if line]


def _return_addresses(fault: Fault, places: Symbols) -> list[int]:
    """The link register, where a function that calls nobody left it, then those on the stack."""
    calls = [word for word in fault.calls if places.is_return_address(word)]
    fresh = fault.lr not in calls and not places.same_function(fault.lr, fault.pc)
    if fresh and places.knows_code and places.is_return_address(fault.lr):
        return [fault.lr, *calls]
    return calls


def _counted(calls: Iterable[str]) -> list[str]:
    runs = [(call, len(list(run))) for call, run in groupby(calls)]
    return [call if times == 1 else f"{call} ({times} times)" for call, times in runs]


class FaultWatch:
    """Finds the fault line in a stream of bytes, whatever else is in it.

    `feed` takes bytes as they come, cut anywhere; `fault` is set once a whole line has passed.
    """

    _LINE_MAX = 1024

    def __init__(self) -> None:
        self._tail = b""
        self.fault: Fault | None = None

    def feed(self, data: bytes) -> None:
        """Look at the next bytes of the stream."""
        if self.fault is not None:
            return
        mark = _MARK.encode()
        text = self._tail + data
        at = text.find(mark)
        while at >= 0:
            end = text.find(b"\n", at)
            if end < 0:
                self._tail = text[at : at + self._LINE_MAX]
                return
            self.fault = parse_fault(text[at:end].decode("ascii", "replace"))
            if self.fault is not None:
                return
            at = text.find(mark, end)
        self._tail = text[-(len(mark) - 1) :]
