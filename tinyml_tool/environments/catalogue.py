"""Which environments there are, what each holds, and how large it is."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tinyml_tool.cache_folder import cache_folder


@dataclass(frozen=True)
class Environment:
    """A set of libraries that pin their dependencies in conflict with ours or each other's."""

    name: str
    requirements: tuple[str, ...]
    modules: tuple[str, ...]
    """Which must be there for it to be usable."""
    variable: str
    """Names another Python that has them."""
    disk_gb: float
    """Installed, measured on Linux x86-64 with CPython 3.11."""
    needed_for: str

    @property
    def folder(self) -> Path:
        """Where it is made; another version of its requirements, or of Python, goes elsewhere."""
        python = f"{sys.implementation.cache_tag}"
        text = "\n".join((python, *self.requirements))
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return cache_folder("environments", f"{self.name}-{digest}")


TENSORFLOW = Environment(
    name="tensorflow",
    requirements=("tensorflow>=2.18",),
    modules=("tensorflow", "keras"),
    variable="TINYML_TENSORFLOW_PYTHON",
    disk_gb=2.1,
    needed_for="Keras files and SavedModels",
)
ONNX = Environment(
    name="onnx",
    requirements=("onnx2tf==1.29.24", "tensorflow==2.19.*", "numpy==1.26.*", "onnxruntime"),
    modules=("onnx2tf", "onnxruntime", "tensorflow"),
    variable="TINYML_ONNX_PYTHON",
    disk_gb=2.6,
    needed_for="ONNX models",
)
TORCH = Environment(
    name="torch",
    requirements=("torch==2.13.0", "litert-torch==0.10.0"),
    modules=("torch", "litert_torch"),
    variable="TINYML_TORCH_PYTHON",
    disk_gb=2.2,
    needed_for="PyTorch models",
)
ENVIRONMENTS = MappingProxyType({each.name: each for each in (TENSORFLOW, ONNX, TORCH)})
"""By name."""
