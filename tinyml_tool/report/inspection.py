"""An inspected model as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tinyml_tool.api.inspect import Inspection, TensorFacts
from tinyml_tool.compiler.footprint import Footprint
from tinyml_tool.report.boards import size_text


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _tensor(label: str, tensor: TensorFacts) -> Text:
    shape = "x".join(map(str, tensor.shape)) or "scalar"
    text = f"{label} {tensor.type} {shape}"
    if tensor.scale is not None:
        text += f", scale {tensor.scale:.6g}, zero point {tensor.zero_point}"
    return Text(f"{text}  {tensor.name}")


def _arena(inspection: Inspection, footprint: Footprint) -> str:
    text = f"arena {footprint.arena_bytes:,} bytes with engine {inspection.engine}"
    bounds = [f"{inspection.peak_activation_bytes:,} is the least without in-place layers"]
    if footprint.arena_lower_bound:
        bounds.insert(0, f"{footprint.arena_lower_bound:,} is the least for any placement")
    return f"{text} ({', '.join(bounds)})"


def _layers(inspection: Inspection) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("layer", overflow="fold")
    table.add_column("type", no_wrap=True)
    for column in ("MACs", "weights B", "activations B"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("aot")
    table.add_column("tflm")
    for layer in inspection.layers:
        table.add_row(
            str(layer.index),
            Text(layer.description),
            layer.output_type,
            f"{layer.macs:,}" if layer.macs else "-",
            f"{layer.weight_bytes:,}" if layer.weight_bytes else "-",
            f"{layer.activation_bytes:,}",
            _yes(layer.aot),
            _yes(layer.tflm),
        )
    return table


def _kernels(inspection: Inspection) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("kernel", no_wrap=True)
    table.add_column("why", overflow="fold")
    for layer in inspection.layers:
        table.add_row(str(layer.index), layer.kernel or "-", Text(layer.reason))
    return table


def _yes(value: bool) -> Text:
    return Text("yes", "green") if value else Text("no", "bold red")


def _boards(inspection: Inspection) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("board", no_wrap=True)
    table.add_column("fits")
    for column in ("flash", "of", "RAM", "of"):
        table.add_column(column, justify="right", no_wrap=True)
    for fit in inspection.boards:
        table.add_row(
            fit.board,
            _yes(fit.fits),
            f"{fit.flash_bytes:,}",
            size_text(fit.flash_available),
            f"{fit.ram_bytes:,}",
            size_text(fit.ram_available),
        )
        for region in fit.regions:
            used, of = f"{region.bytes:,}", size_text(region.size)
            table.add_row(f"  RAM {region.name}", "", "", "", used, of)
    return table


def inspection_view(inspection: Inspection) -> Iterator[RenderableType]:
    """Everything about the model, part by part."""
    yield _heading(inspection.name)
    yield Text(f"sha256 {inspection.model_hash}")
    for number, tensor in enumerate(inspection.inputs):
        yield _tensor(f"input {number}: ", tensor)
    for number, tensor in enumerate(inspection.outputs):
        yield _tensor(f"output {number}:", tensor)
    yield ""
    yield _layers(inspection)
    if inspection.optimize and inspection.supported:
        yield ""
        yield _heading(f"Kernels, optimized for {inspection.optimize} on {inspection.core}")
        yield _kernels(inspection)
    yield ""
    yield Text(
        f"{len(inspection.layers)} layers, {inspection.macs:,} MACs, "
        f"{inspection.weight_bytes:,} bytes of weights"
    )
    after = inspection.after_passes
    costs = (len(inspection.layers), inspection.macs, inspection.weight_bytes)
    if after is not None and (after.layers, after.macs, after.weight_bytes) != costs:
        yield Text(
            f"after the graph passes: {after.layers} layers, {after.macs:,} MACs, "
            f"{after.weight_bytes:,} bytes of weights"
        )
    if inspection.footprint:
        yield Text(_arena(inspection, inspection.footprint))
    for name, extra in (("features", inspection.features), ("answer", inspection.answer)):
        if extra is not None:
            yield Text(f"{name}: {extra.ram_bytes:,} bytes of RAM. {extra.about}")
    if inspection.footprint:
        yield ""
        yield _heading("Fits (estimated)")
        yield _boards(inspection)
    if inspection.problems:
        yield ""
        yield Text(f"engine {inspection.engine} cannot run it", style="bold red")
