"""How a trained model is made smaller: as data, checked before anything is trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

from tinyml_tool.errors import InputError

Method: TypeAlias = Literal["qat", "prune", "distill", "cluster", "scale"]
METHODS: tuple[str, ...] = get_args(Method)
Ranges: TypeAlias = Literal["moving", "learned"]
Criterion: TypeAlias = Literal["norm", "scale", "random"]

ANEW: tuple[str, ...] = ("distill", "scale")
"""Methods that train a new model; the others fit the given one further."""


@dataclass(frozen=True)
class CompressOptions:
    """What each method needs; those of other methods must stay as they are."""

    weight_bits: int = 8
    """qat: bits a weight may have, 2 to 8; stored as int8 all the same."""
    ranges: Ranges = "moving"
    """qat: activations' ranges are averaged over batches, or learned by gradient."""
    per_tensor: bool = False
    """qat: one scale for all weights of a layer, instead of one a channel."""
    share: float = 0.5
    """prune: share of the channels to remove from each group."""
    criterion: Criterion = "norm"
    """prune: which channels matter; see `engine/prune_channels.py`."""
    clusters: int = 16
    """cluster: values that the weights of a layer may have."""
    width: float = 0.5
    """distill, scale: factor of the width of the architecture."""
    resolution: int = 1
    """distill, scale: places along each axis that are averaged to one before the model."""
    student: str | None = None
    """distill: the student's architecture, instead of the given one at `width`."""
    temperature: float = 4.0
    """distill: softens the answers of teacher and student."""
    teacher_share: float = 0.7
    """distill: weight of the teacher's answers against the labels."""
    features: float = 0.0
    """distill: weight of the teacher's features; 0: answers only."""

    def of(self, method: Method) -> dict[str, Any]:
        """The options that `method` takes, for the record."""
        return {name: value for name, value in asdict(self).items() if name in _TAKEN[method]}


_TAKEN: dict[str, tuple[str, ...]] = {
    "qat": ("weight_bits", "ranges", "per_tensor"),
    "prune": ("share", "criterion"),
    "distill": ("width", "resolution", "student", "temperature", "teacher_share", "features"),
    "cluster": ("clusters",),
    "scale": ("width", "resolution"),
}


def check_options(method: str, options: CompressOptions) -> None:
    """Raise InputError for an unknown method, a value out of range, or another method's option."""
    if method not in METHODS:
        raise InputError(f"unknown method '{method}'", hint=f"one of: {', '.join(METHODS)}")
    for name, value in asdict(options).items():
        if name not in _TAKEN[method] and value != getattr(CompressOptions(), name):
            takers = [other for other in METHODS if name in _TAKEN[other]]
            raise InputError(
                f"{name.replace('_', ' ')} is for method {' and '.join(takers)}, not {method}",
                hint="leave it out",
            )
    _check_ranges(options)
    if options.share >= 1:
        raise InputError(
            f"a share of {options.share:g} would prune everything",
            hint="give the share of channels to remove, below 1: 0.5 removes half of them",
        )


def _check_ranges(options: CompressOptions) -> None:
    ranges: dict[str, tuple[float, float, str]] = {
        "weight_bits": (2, 8, "8 is plain int8; 4 or 3 bits make training matter"),
        "clusters": (2, 256, "16 is usual; more than 256 values no int8 weight has"),
        "resolution": (1, 16, "2 averages two places along each axis to one"),
        "temperature": (0.1, 100, "4 is usual; higher ones soften the answers more"),
        "teacher_share": (0, 1, "0 learns from labels alone, 1 from the teacher alone"),
        "features": (0, 1000, "0 learns answers only; 0.1 to 1 is usual"),
    }
    for name, (low, high, hint) in ranges.items():
        value = getattr(options, name)
        if not low <= value <= high:
            told = f"{name.replace('_', ' ')} {value:g} is not from {low:g} to {high:g}"
            raise InputError(told, hint=hint)
    if options.share <= 0 or options.width <= 0:
        raise InputError(
            "share and width must be above 0",
            hint="--share 0.25 removes a quarter of the channels, --width 0.5 halves the network",
        )
    for name, known in (("ranges", get_args(Ranges)), ("criterion", get_args(Criterion))):
        if getattr(options, name) not in known:
            raise InputError(
                f"unknown {name} '{getattr(options, name)}'", hint=f"one of: {', '.join(known)}"
            )
