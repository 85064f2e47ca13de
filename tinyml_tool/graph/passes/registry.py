"""All passes, by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tinyml_tool.graph.passes.drop_dead_channels import drop_dead_channels
from tinyml_tool.graph.passes.drop_no_ops import drop_no_ops
from tinyml_tool.graph.passes.drop_unused_layers import drop_unused_layers
from tinyml_tool.graph.passes.fold_constants import fold_constants
from tinyml_tool.graph.passes.fold_pad import fold_pad
from tinyml_tool.graph.passes.fold_quantize import fold_quantize
from tinyml_tool.graph.passes.fold_relu import fold_relu
from tinyml_tool.graph.passes.freeze_batch import freeze_batch
from tinyml_tool.graph.passes.outcome import Pass
from tinyml_tool.graph.passes.split_rows import SPLIT_ROWS, split_rows

PASSES: Mapping[str, Pass] = MappingProxyType(
    {
        "freeze-batch": freeze_batch,
        "fold-constants": fold_constants,
        "drop-unused-layers": drop_unused_layers,
        "drop-no-ops": drop_no_ops,
        "fold-quantize": fold_quantize,
        "fold-relu": fold_relu,
        "fold-pad": fold_pad,
        "drop-dead-channels": drop_dead_channels,
        SPLIT_ROWS: split_rows,
    }
)
"""Shapes first, for they make constants; then what goes as a whole; then fusions, which give the
channels pass more convolutions to look through; that one. Splitting is left to the compiler."""
