"""The rows of an input that kernels for vector instructions copy, see mve_window.h."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_tool.compiler.plan import ParamValue


@dataclass(frozen=True)
class MveAxis:
    """A convolution along one axis: sizes, and padding before the first element."""

    input: int
    output: int
    filter: int
    stride: int
    dilation: int
    pad: int

    @property
    def reach(self) -> int:
        """Elements from the first to the last tap."""
        return (self.filter - 1) * self.dilation + 1

    @property
    def needed(self) -> int:
        """Elements, padding included, that all windows together cover."""
        return (self.output - 1) * self.stride + self.reach


@dataclass(frozen=True)
class MveWindow:
    """The geometry of a convolution on an input of `channels` channels, without groups."""

    batches: int
    channels: int
    rows: MveAxis
    columns: MveAxis
    padding: int

    @property
    def is_pointwise(self) -> bool:
        """Whether each output pixel sees just the input pixel at its place."""
        axes = (self.rows, self.columns)
        return all((a.filter, a.stride, a.pad, a.input) == (1, 1, 0, a.output) for a in axes)

    def phase_bytes(self, phases: int) -> int:
        """Bytes of one phase of a row in the buffer."""
        return -(-self.columns.needed // phases) * self.channels

    def params(self, phases: int) -> list[tuple[str, ParamValue]]:
        """The kernels' field `window`."""
        rows, columns = self.rows, self.columns
        return [
            ("window.input_h", rows.input),
            ("window.input_w", columns.input),
            ("window.input_c", self.channels),
            ("window.rows", rows.reach),
            ("window.columns", min(columns.input, columns.needed - columns.pad)),
            ("window.stride_h", rows.stride),
            ("window.pad_h", rows.pad),
            ("window.pad_w", columns.pad),
            ("window.phases", phases),
            ("window.phase_bytes", self.phase_bytes(phases)),
            ("window.padding", self.padding),
        ]
