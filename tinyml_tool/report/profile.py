"""A profile as a table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tinyml_tool.api.profile import LayerProfile, Profile


def _row(layer: LayerProfile, estimated: bool) -> list[str]:
    if layer.instructions is not None:
        cost = f"{layer.instructions:,}"
    else:
        cost = f"{layer.microseconds:,.1f}"
    name = layer.kernel or layer.kind.lower()
    return [
        str(layer.layer),
        f"{name} {'x'.join(map(str, layer.output_shape[1:]))}",
        cost,
        *([f"{layer.cycles:,}" if layer.cycles is not None else "-"] if estimated else []),
        f"{layer.share:.1%}",
        f"{layer.macs:,}" if layer.macs else "-",
        f"{layer.instructions_per_mac:.2f}" if layer.instructions_per_mac is not None else "-",
        f"{layer.weight_bytes:,}" if layer.weight_bytes else "-",
        f"{layer.activation_bytes:,}",
    ]


def profile_view(profile: Profile) -> Iterator[RenderableType]:
    """A row a layer, then the totals."""
    counted = profile.instructions is not None
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("kernel, output", overflow="fold")
    cost = "instructions" if counted else "microseconds"
    estimated = profile.cycles is not None
    for column in (
        cost,
        *(["cycles (estimated)"] if estimated else []),
        "share",
        "MACs",
        "per MAC",
        "weights",
        "activ.",
    ):
        table.add_column(column, justify="right", no_wrap=True)
    for layer in profile.layers:
        table.add_row(*map(Text, _row(layer, estimated)))
    yield table
    yield ""
    emulated = "" if profile.ran_on == profile.board else f" (emulated as {profile.ran_on})"
    yield Text(f"board {profile.board}{emulated}, engine {profile.engine}")
    if counted:
        layers = sum(layer.instructions or 0 for layer in profile.layers)
        yield Text(
            f"{layers:,} instructions in the layers, each measured by itself (emulated; "
            f"{profile.overhead_instructions} for measuring were taken off each)"
        )
        yield Text(f"{profile.instructions:,} instructions for one inference without measuring")
    if profile.cycles is not None:
        yield Text(f"{profile.cycles:,} cycles (estimated; {profile.cycles_source})")
    if profile.stack_bytes is not None:
        bound = profile.model_stack_bytes
        most = "" if bound is None else f"; model_invoke() takes at most {bound:,}"
        yield Text(f"{profile.stack_bytes:,} bytes of stack in use at most{most}")
