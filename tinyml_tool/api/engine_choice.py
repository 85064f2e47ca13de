"""Which engine and preset a user may name; apart from `engines`, which brings what they need."""

from __future__ import annotations

from typing import get_args

from tinyml_tool.compiler.plan import Plan
from tinyml_tool.compiler.tflm_plan import TflmPlan
from tinyml_tool.config import DEFAULT_OPTIMIZE, Optimize
from tinyml_tool.errors import InputError

ENGINE_NAMES = (Plan.engine, TflmPlan.engine)


def check_engine(engine: str) -> None:
    """Raise InputError where there is no engine of that name."""
    if engine not in ENGINE_NAMES:
        raise InputError(f"there is no engine '{engine}'", hint=f"use {' or '.join(ENGINE_NAMES)}")


def check_preset(engine: str, optimize: Optimize | None) -> Optimize | None:
    """The preset `engine` chooses kernels by, None where it has none.

    Raises InputError where `optimize` is no preset or the engine has kernels of its own.
    """
    if engine != Plan.engine:
        if optimize is not None:
            raise InputError(
                f"engine '{engine}' has kernels of its own", hint="leave --optimize out"
            )
        return None
    if optimize is not None and optimize not in get_args(Optimize):
        raise InputError(
            f"there is no preset '{optimize}'", hint=f"use {' or '.join(get_args(Optimize))}"
        )
    return optimize or DEFAULT_OPTIMIZE
