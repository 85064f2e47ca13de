"""What a device says of its model: why it does not start, and how much of its arena it uses."""

from __future__ import annotations

import re

from tinyml_tool.compiler.tflm_arena import arena_enough
from tinyml_tool.compiler.tflm_plan import TflmPlan
from tinyml_tool.errors import DeviceError
from tinyml_tool.graph.types import Graph
from tinyml_tool.protocol import HelloReply, ModelStateReply
from tinyml_tool.verify.evidence import ArenaUse

_MISSING = re.compile(r"missing: (\d+)")
"""How TFLM ends its messages of all three kinds of memory that does not suffice."""


def arena_use(graph: Graph, engine: str, state: ModelStateReply) -> ArenaUse:
    """How much of the arena is in use, and how much would do.

    Engine aot's arena is exactly what the model needs; TFLM's is what a host needed and a margin.
    """
    enough = state.arena_bytes
    if engine == TflmPlan.engine:
        enough = min(enough, arena_enough(graph, state.arena_used))
    return ArenaUse(state.arena_bytes, state.arena_used, enough)


def not_ready(state: ModelStateReply, hello: HelloReply) -> DeviceError:
    """The error of a device whose model_init() failed, with the numbers where memory is short."""
    words = state.failure.decode(errors="replace")
    said = f": {words}" if words else ""
    cause = f"model_init() returned {state.status}{said}"
    if missing := _MISSING.search(words):
        return DeviceError(
            f"the model does not start on {hello.board}: its arena of {state.arena_bytes:,} bytes "
            f"is too small by at least {int(missing[1]):,} ({cause})",
            hint="generate it again with a larger --arena, or without: then it is what the "
            "reference needs, and a margin",
        )
    return DeviceError(
        f"the model does not start on {hello.board}: {cause}",
        hint="generate and build the firmware again; if --arena made its arena small, without it",
    )


def silent_tflm(error: DeviceError, arena_bytes: int) -> DeviceError:
    """`error` of a firmware of engine tflm that never greeted, with what may be the cause beside.

    In some arenas that are too small TFLM does not fail but crash, before anything can be said.
    """
    perhaps = (
        f"if --arena made its arena of {arena_bytes:,} bytes small, TensorFlow Lite Micro may have "
        "crashed on that: generate it without --arena"
    )
    hint = f"{error.hint}; {perhaps}" if error.hint else perhaps
    return type(error)(error.message, hint=hint, details=error.details)
