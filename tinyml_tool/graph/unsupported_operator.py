"""How a formula, a pass or a lowering says that it cannot take an operator."""

from __future__ import annotations


class UnsupportedOperatorError(Exception):
    """`cause` completes "layer 3 CONV_2D: ...", `fix` tells the way out."""

    def __init__(self, cause: str, fix: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.fix = fix
