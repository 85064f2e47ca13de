"""A built firmware as a table and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.table import Table

from tinyml_tool.toolchain.board_build import BoardFirmware
from tinyml_tool.toolchain.build import Firmware
from tinyml_tool.toolchain.stack_bound import StackBound


def firmware_json(firmware: Firmware) -> dict[str, Any]:
    """The value of `result` with `--json`; sizes in bytes."""
    facts = firmware.facts
    return {
        "elf": str(firmware.elf),
        "board": firmware.board.id,
        "sha256": facts.sha256,
        "system": firmware.system,
        "compiler": {
            "name": firmware.compiler.name,
            "version": firmware.compiler.version,
        },
        "tflm": firmware.tflm.facts if firmware.tflm else None,
        "memory": {
            "flash_bytes": facts.flash_bytes,
            "ram_bytes": facts.ram_bytes,
            "arena_bytes": facts.arena_bytes,
            "stack_bytes": facts.stack_bytes,
            "regions": [asdict(region) for region in facts.regions],
            "model_stack": asdict(firmware.model_stack),
            "features_bytes": firmware.features_bytes,
            "answer_bytes": firmware.answer_bytes,
        },
        "seconds": round(firmware.seconds, 3),
    }


def firmware_table(firmware: Firmware) -> Table:
    """Where the ELF is and what it takes."""
    facts = firmware.facts
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("firmware", str(firmware.elf))
    table.add_row("for", f"{firmware.board.id}, {firmware.board.name}")
    table.add_row("built by", f"{firmware.system}, {firmware.compiler.name} {_version(firmware)}")
    if firmware.tflm is not None:
        table.add_row("TFLM", f"{firmware.tflm.library.path}, {firmware.tflm.kernels} kernels")
    table.add_row("flash", f"{facts.flash_bytes:,} bytes")
    table.add_row(
        "RAM",
        f"{facts.ram_bytes:,} bytes, of which arena {facts.arena_bytes:,}"
        f"{_extras(firmware)} and stack {facts.stack_bytes:,}",
    )
    for region in facts.regions:
        table.add_row(f"RAM {region.name}", f"{region.bytes:,} of {region.size:,} bytes")
    table.add_row("stack", _stack_text(firmware.model_stack))
    table.add_row("time", f"{firmware.seconds:.1f} s")
    return table


def _stack_text(bound: StackBound) -> str:
    """The bound with the calls that lead to it, or why there is none."""
    if bound.bytes is None:
        return f"no bound for model_invoke(): {bound.reason}"
    calls = " > ".join(f"{frame.function} {frame.bytes}" for frame in bound.path)
    return f"model_invoke() takes at most {bound.bytes:,} bytes of it ({calls})"


def _extras(firmware: Firmware) -> str:
    parts = (("features", firmware.features_bytes), ("answer", firmware.answer_bytes))
    return "".join(f", {name} {size:,}" for name, size in parts if size is not None)


def _version(firmware: Firmware) -> str:
    return str(firmware.compiler.version or "")


def board_firmware_json(firmware: BoardFirmware) -> dict[str, Any]:
    """The value of `result` with `--json`; sizes in bytes, as PlatformIO tells them."""
    return {
        "elf": str(firmware.elf),
        "board": firmware.board.id,
        "system": "platformio",
        "memory": {"flash_bytes": firmware.flash_bytes, "ram_bytes": firmware.ram_bytes},
        "seconds": round(firmware.seconds, 3),
    }


def board_firmware_table(firmware: BoardFirmware) -> Table:
    """Where the ELF is and what it takes, the framework included."""
    memory = firmware.board.memory
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("firmware", str(firmware.elf))
    table.add_row("for", f"{firmware.board.id}, {firmware.board.name}")
    for name, used, size in (
        ("flash", firmware.flash_bytes, memory.flash.size),
        ("RAM", firmware.ram_bytes, memory.ram.size),
    ):
        if used is not None:
            table.add_row(name, f"{used:,} of {size:,} bytes, framework included")
    table.add_row("time", f"{firmware.seconds:.1f} s")
    return table
