"""Evidence as tables for the terminal: the verdict and what was measured."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from tinyml_tool.report.arena import arena_line
from tinyml_tool.report.monitoring import latency_text
from tinyml_tool.verify.evidence import Evidence


def evidence_table(evidence: Evidence) -> Table:
    """Parity, instructions, memory, time; the verdict first."""
    parity, memory = evidence.parity, evidence.memory
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("verdict", _verdict(evidence))
    emulated = "" if evidence.ran_on == evidence.board else f" (emulated as {evidence.ran_on})"
    preset = f", optimized for {evidence.optimize}" if evidence.optimize else ""
    table.add_row("board", f"{evidence.board}{emulated}, engine {evidence.engine}{preset}")
    table.add_row(
        "compared",
        f"{parity.values_compared:,} values: {parity.vectors} inputs, "
        f"{parity.layers} layers and the outputs",
    )
    if parity.values_by_checksum:
        spared = f"{parity.values_by_checksum:,} values of layers by length and CRC-32"
        table.add_row("of these", f"{spared}, the others one by one")
    if (answers := evidence.answers) is not None:
        differ = f"{answers.values_different:,} of {answers.values_compared:,} values differ"
        table.add_row("answers", f"{answers.answers:,} of the device compared, {differ}")
    for name, text in _passes(evidence):
        table.add_row(name, text)
    if evidence.instructions_per_inference is not None:
        count = f"{evidence.instructions_per_inference:,} for one inference (emulated)"
        table.add_row("instructions", count)
    if evidence.seconds_per_inference is not None:
        table.add_row("time", f"{latency_text(evidence.seconds_per_inference)} for one inference")
    if memory is not None:
        table.add_row("flash", f"{memory.flash_bytes:,} bytes")
        table.add_row("RAM", f"{memory.ram_bytes:,} bytes, the stack's reserve included")
        if memory.features_bytes is not None:
            table.add_row("features", f"{memory.features_bytes:,} bytes of the RAM")
        if memory.answer_bytes is not None:
            table.add_row("answer", f"{memory.answer_bytes:,} bytes of the RAM")
        used = "unknown" if memory.stack_bytes is None else f"{memory.stack_bytes:,} bytes used"
        if memory.model_stack_bytes is not None:
            used += f"; model_invoke() takes at most {memory.model_stack_bytes:,}"
        table.add_row("stack", used)
    table.add_row("arena", arena_line(evidence.arena))
    stages = ", ".join(f"{stage} {spent:.1f}" for stage, spent in evidence.seconds.items())
    table.add_row("seconds", f"{sum(evidence.seconds.values()):.1f} ({stages})")
    return table


def _passes(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What the graph passes saved, and what of the model's layers is not compared for that."""
    summary = evidence.passes
    if summary is None:
        return
    if summary.in_bands:
        yield "in bands", "; ".join(f"layer {c.layer} {c.kind}: {c.text}" for c in summary.in_bands)
    if not (summary.macs_saved or summary.bytes_saved or summary.removed):
        return
    before, after = summary.before, summary.after
    yield (
        "passes",
        f"saved {summary.macs_saved:,} of {before.macs:,} MACs and {summary.bytes_saved:,} of "
        f"{before.weight_bytes:,} bytes of weights",
    )
    if summary.partial:
        parts = ", ".join(
            f"layer {part.layer} {part.channels} of {part.of}" for part in summary.partial
        )
        foretold = f"{evidence.parity.values_foretold:,}"
        yield (
            "in part",
            f"{parts} channels; the reference has the {foretold} constants that were dropped",
        )
    if summary.removed:
        removed = "; ".join(f"layer {c.layer} {c.kind}: {c.text}" for c in summary.removed)
        yield "removed", f"{before.layers - after.layers} layers ({removed})"


def _verdict(evidence: Evidence) -> Text:
    parity = evidence.parity
    if parity.exact and parity.values_by_checksum:
        text = "outputs bit-exact with TensorFlow Lite Micro, layers by checksum"
        return Text(text, style="bold green")
    if parity.exact:
        return Text("bit-exact with TensorFlow Lite Micro", style="bold green")
    if parity.agrees:
        return Text(
            f"agrees with TensorFlow Lite Micro; {parity.values_rounded:,} floats are rounded "
            f"otherwise, by at most {parity.worst_rounding:.1e} of their tensor's largest value "
            f"(allowed: {parity.float_tolerance:.1e})",
            style="bold green",
        )
    return Text(f"{parity.values_different:,} values differ", style="bold red")
