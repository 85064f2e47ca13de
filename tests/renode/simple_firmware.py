"""Plays a firmware in these tests: greets, sends back what comes, and can fault or end."""

from __future__ import annotations

import os
import sys

FAULT = (
    b"\r\n!fault kind=usage exception=0x00000003 cfsr=0x00010000 hfsr=0x40000000 "
    b"mmfar=0x00000000 bfar=0x00000000 pc=0x08000100 lr=0x080000e7 psr=0x61000000 "
    b"sp=0x200007c8 stack=0x00000800 calls=\r\n"
)


def main() -> None:
    os.write(1, b"hello\n")
    while data := os.read(0, 4096):
        if b"f" in data:
            os.write(1, FAULT)
        elif b"x" in data:
            sys.exit(0)
        else:
            os.write(1, data)


if __name__ == "__main__":
    main()
