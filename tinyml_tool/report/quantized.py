"""A quantized model and its cost as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tinyml_tool.quantization.result import Quantized


def quantized_view(result: Quantized, output: str | None) -> Iterator[RenderableType]:
    """What came out, what it costs, which layers to look at."""
    yield _facts(result, output)
    yield Text()
    yield _layers(result)
    for advice in result.advice:
        yield Text()
        yield Text.assemble(
            (f"{advice.layer}: ", "bold"), f"{advice.sqnr_db:.1f} dB, {advice.cause}"
        )
        yield Text(f"  try {advice.suggestion}")


def quantized_warnings(result: Quantized) -> list[str]:
    """What a user should not overlook."""
    use, answers = result.use, result.answers
    found = [f"lint: {problem}" for problem in result.problems]
    if use.random_calibration:
        found.append(
            "ranges come from random numbers: the accuracy on real data is unknown, and likely bad"
        )
    elif use.evaluated_on_calibration:
        found.append(
            f"measured on the {use.evaluation_samples} samples that also calibrated: give more "
            "data, or others with --test"
        )
    found += [
        f"{port.port}: {port.share:.1%} of the values lie outside what it can represent "
        f"({port.low:.4g} to {port.high:.4g})"
        for port in answers.saturation
        if port.share > 0.01 and port.port.startswith("input")
    ]
    return found


def _facts(result: Quantized, output: str | None) -> Table:
    answers, use = result.answers, result.use
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    if output is not None:
        table.add_row("written", output)
    options = result.options
    table.add_row("scheme", f"{options.scheme}, inputs {options.input}, outputs {options.output}")
    if result.int16_layers:
        table.add_row("int16x8", ", ".join(result.int16_layers))
    if result.int4_layers:
        table.add_row("int4 weights", ", ".join(result.int4_layers))
    table.add_row("made by", result.backend)
    for change in result.changes:
        table.add_row("first", change)
    table.add_row("size", f"{len(result.data):,} bytes (float: {result.float_bytes:,})")
    table.add_row("calibrated", f"on {use.calibration_samples} samples of {use.calibration}")
    table.add_row("measured", f"on {use.evaluation_samples} samples of {use.evaluation}")
    if answers.accuracy_before is not None and answers.accuracy_after is not None:
        points = 100 * (answers.accuracy_after - answers.accuracy_before)
        table.add_row(
            "accuracy",
            f"{answers.accuracy_after:.1%}, float {answers.accuracy_before:.1%} "
            f"({points:+.1f} points)",
        )
    if answers.auc_before is not None and answers.auc_after is not None:
        table.add_row("AUC", f"{answers.auc_after:.4f}, float {answers.auc_before:.4f}")
    if answers.agreement is not None:
        table.add_row("agreement", f"{answers.agreement:.1%} get the same class as from float")
    table.add_row(
        "output noise",
        f"{answers.output_sqnr_db:.1f} dB, largest difference {answers.largest_difference:.4g}",
    )
    for port in answers.saturation:
        table.add_row(
            port.port,
            f"{port.low:.4g} to {port.high:.4g}, {port.share:.2%} of the values outside",
        )
    for engine, reasons in result.engines.items():
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        verdict = "runs it" if not reasons else f"does not: {reasons[0]}{more}"
        table.add_row(f"engine {engine}", verdict)
    return table


def _layers(result: Quantized) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("layer of the float model", overflow="fold")
    table.add_column("SQNR dB", justify="right")
    table.add_column("worse by", justify="right")
    for layer in result.noise.layers:
        style = "bold red" if layer.sqnr_db < 10 else ""
        table.add_row(
            layer.layer,
            Text(f"{layer.sqnr_db:.1f}", style),
            f"{layer.added_db:.1f}" if layer.added_db >= 0.05 else "-",
        )
    for name in result.noise.unmatched:
        table.add_row(name, "-", "not matched")
    return table
