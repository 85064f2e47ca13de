"""The arena in words: how much is in use, and how to give the rest back."""

from __future__ import annotations

from tinyml_tool.verify.evidence import ArenaUse

_WORTH_TELLING = 16
"""Bytes; TFLM's arena comes in steps of them."""


def arena_line(arena: ArenaUse) -> str:
    """One sentence; where much is left over, with what to type."""
    if arena.used_bytes == arena.bytes:
        return f"{arena.bytes:,} bytes"
    used = f"{arena.used_bytes:,} of {arena.bytes:,} bytes used"
    if arena.spare_bytes < _WORTH_TELLING:
        return used
    return (
        f"{used}; generated with --arena {arena.enough_bytes} it gives {arena.spare_bytes:,} back"
    )
