"""For what the compiler makes code: a core, and what counts most on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tinyml_tool.boards import Core
from tinyml_tool.config import DEFAULT_OPTIMIZE, Optimize

Bodies = tuple[tuple[int, str], ...]
"""Layers of the model, by number, with the body that they take in place of the core's own."""


@dataclass(frozen=True)
class Target:
    """The core that runs the kernels, and the preset by which they are chosen.

    `size`: the fewest bytes of flash.  `balanced`: the fewest instructions that cost few bytes, and
    no weights wider than the model's.  `speed`: the fewest instructions.
    """

    core: Core
    optimize: Optimize = DEFAULT_OPTIMIZE
    bodies: Bodies = ()
    """What was measured to be better than the core's own; see `bodies_for`."""

    def of_layer(self, layer: int) -> Target:
        """The target by which a layer of the model is lowered."""
        name = dict(self.bodies).get(layer)
        return self if name is None else replace(self, core=bodies_for(self.core)[name])


def bodies_for(core: Core) -> dict[str, Core]:
    """The simpler cores whose kernels `core` can run as well, by a name that manifests have.

    They use no instruction that `core` lacks, so any layer may take any of them.
    """
    found = {}
    if core.mve:
        found["dsp"] = _like(core, "cortex-m4", dsp=True)
    if core.dsp:
        found["armv7-m"] = _like(core, "cortex-m3", dsp=False)
    if core.is_arm and core.name not in ("cortex-m0", "cortex-m0plus"):
        found["armv6-m"] = _like(core, "cortex-m0plus", dsp=False)
    return found


def _like(core: Core, name: str, *, dsp: bool) -> Core:
    return core.model_copy(update={"name": name, "dsp": dsp, "mve": False})
