"""Lines as a firmware prints them."""

from __future__ import annotations

import zlib

FAULT = (
    "!fault kind=bus exception=0x00000003 cfsr=0x00008200 hfsr=0x40000000 mmfar=0x00000000 "
    "bfar=0xdeadbeec pc=0x00000c5c lr=0x00000e0b psr=0x61000000 sp=0x20000798 stack=0x00000800 "
    "calls=0x00000e0b"
)


def report(number: int = 1, values: tuple[int, ...] = (-100, 100), *, ticks: int = 50_000) -> str:
    """A report of an inference with one int8 output: real value (stored + 128) / 256."""
    order = sorted(range(len(values)), key=lambda index: (-values[index], index))
    top = ",".join(f"{index}:{values[index]}" for index in order)
    text = (
        f"!inference n={number} ticks={ticks} hz=25000000 emulated=0 type0=int8 "
        f"size0={len(values)} scale0=3b800000 zero0=-128 top0={top}"
    )
    return f"{text} crc={zlib.crc32(text.encode()):08x}"
