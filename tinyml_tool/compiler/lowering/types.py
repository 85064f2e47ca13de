"""What a lowering is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tinyml_tool.compiler.plan import KernelCall
from tinyml_tool.compiler.target import Target
from tinyml_tool.graph.types import Graph, Operator

Lowering: TypeAlias = Callable[[Operator, Graph, Target], KernelCall | None]
"""A pure function that chooses the kernel for an operator on a core.

None means that nothing has to be computed: the output is the first input under another shape.
Raises UnsupportedOperatorError.
"""
