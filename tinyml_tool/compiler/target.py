"""For what the compiler makes code: a core, and what counts most on it."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_tool.boards import Core
from tinyml_tool.config import DEFAULT_OPTIMIZE, Optimize


@dataclass(frozen=True)
class Target:
    """The core that runs the kernels, and the preset by which they are chosen.

    `size`: the fewest bytes of flash.  `balanced`: the fewest instructions that cost few bytes, and
    no weights wider than the model's.  `speed`: the fewest instructions.
    """

    core: Core
    optimize: Optimize = DEFAULT_OPTIMIZE
