"""An imported model as a table for the terminal."""

from __future__ import annotations

from rich.table import Table

from tinyml_tool.api.import_model import Imported
from tinyml_tool.graph.measure import total_macs


def imported_table(result: Imported, output: str) -> Table:
    """What came in, what was changed, how far it is from its source."""
    compared = result.comparison
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("written", f"{output}, {len(result.data):,} bytes")
    made = "" if result.converter == "none" else f", converted by {result.converter}"
    table.add_row("source", f"{result.format}{made}")
    for place, index in enumerate(result.graph.inputs):
        tensor = result.graph.tensor(index)
        order = compared.input_orders[place]
        table.add_row(f"input {place}", f"{_shape(tensor.shape)} float{_moved(order)}")
    for place, index in enumerate(result.graph.outputs):
        tensor = result.graph.tensor(index)
        order = compared.output_orders[place]
        table.add_row(f"output {place}", f"{_shape(tensor.shape)} float{_moved(order)}")
    macs = total_macs(result.graph)
    table.add_row("layers", f"{len(result.graph.operators)}, {macs:,} MACs")
    for change in result.changes:
        table.add_row("changed", change)
    kind = "random" if compared.random_inputs else "of your"
    table.add_row(
        "difference",
        f"{compared.largest_difference:.2g} at most, {compared.relative:.2g} of the largest "
        f"answer, on {compared.samples} {kind} inputs",
    )
    return table


def import_warnings(result: Imported) -> list[str]:
    """What a user should not overlook."""
    found = [
        f"engine {engine} has no kernels for {', '.join(layers[:5])}"
        + (f" and {len(layers) - 5} more" if len(layers) > 5 else "")
        for engine, layers in result.problems.items()
        if layers
    ]
    if result.comparison.random_inputs:
        found.append(
            "compared with the source on random inputs; --data FILE.npz compares on real ones"
        )
    return found


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _moved(order: tuple[int, ...]) -> str:
    if not order or order == tuple(range(len(order))):
        return ""
    return f"; the source's axes in the order {', '.join(map(str, order))} (np.transpose)"
