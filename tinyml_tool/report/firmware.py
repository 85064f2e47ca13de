"""A built firmware as a table and as JSON."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from tinyml_tool.toolchain.build import Firmware


def firmware_json(firmware: Firmware) -> dict[str, Any]:
    """The value of `result` with `--json`; sizes in bytes."""
    facts = firmware.facts
    return {
        "elf": str(firmware.elf),
        "sha256": facts.sha256,
        "system": firmware.system,
        "compiler": {
            "name": firmware.compiler.name,
            "version": firmware.compiler.version,
        },
        "memory": {
            "flash_bytes": facts.flash_bytes,
            "ram_bytes": facts.ram_bytes,
            "arena_bytes": facts.arena_bytes,
            "stack_bytes": facts.stack_bytes,
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
    table.add_row("built by", f"{firmware.system}, {firmware.compiler.name} {_version(firmware)}")
    table.add_row("flash", f"{facts.flash_bytes:,} bytes")
    table.add_row(
        "RAM",
        f"{facts.ram_bytes:,} bytes, of which arena {facts.arena_bytes:,} "
        f"and stack {facts.stack_bytes:,}",
    )
    table.add_row("time", f"{firmware.seconds:.1f} s")
    return table


def _version(firmware: Firmware) -> str:
    return str(firmware.compiler.version or "")
