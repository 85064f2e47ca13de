"""tinyml_tool: put a neural network on a microcontroller and know that it works there.

    import tinyml_tool as tt
    evidence = tt.deploy("kws.tflite", board="qemu-m4")
    assert evidence.parity.exact

Names are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tinyml_tool.version import VERSION

__version__ = VERSION

if TYPE_CHECKING:
    from tinyml_tool.api.answers import answers_of, load_answer
    from tinyml_tool.api.answers_check import check_answers
    from tinyml_tool.api.answers_store import store_answer
    from tinyml_tool.api.build import build
    from tinyml_tool.api.compress import compress
    from tinyml_tool.api.deploy import deploy
    from tinyml_tool.api.evaluate import evaluate
    from tinyml_tool.api.features import Features, load_features
    from tinyml_tool.api.features_check import check_features
    from tinyml_tool.api.features_show import show_features
    from tinyml_tool.api.features_store import store_features
    from tinyml_tool.api.fit import quantize_to_fit
    from tinyml_tool.api.flash import flash, stop_emulators
    from tinyml_tool.api.generate import generate
    from tinyml_tool.api.import_model import import_model
    from tinyml_tool.api.inspect import inspect
    from tinyml_tool.api.monitor import monitor
    from tinyml_tool.api.ports import ports
    from tinyml_tool.api.profile import profile
    from tinyml_tool.api.quantize import quantize
    from tinyml_tool.api.run import run
    from tinyml_tool.api.search import search
    from tinyml_tool.api.search_result import Limits
    from tinyml_tool.api.train import train
    from tinyml_tool.api.validate import validate
    from tinyml_tool.boards import load_board, load_boards
    from tinyml_tool.errors import TinymlError
    from tinyml_tool.graph.reader import read_model
    from tinyml_tool.train.compression import CompressOptions
    from tinyml_tool.train.settings import Augmentation, TrainSettings

__all__ = [
    "Augmentation",
    "CompressOptions",
    "Features",
    "Limits",
    "TinymlError",
    "TrainSettings",
    "__version__",
    "answers_of",
    "build",
    "check_answers",
    "check_features",
    "compress",
    "deploy",
    "evaluate",
    "flash",
    "generate",
    "import_model",
    "inspect",
    "load_answer",
    "load_board",
    "load_boards",
    "load_features",
    "monitor",
    "ports",
    "profile",
    "quantize",
    "quantize_to_fit",
    "read_model",
    "run",
    "search",
    "show_features",
    "stop_emulators",
    "store_answer",
    "store_features",
    "train",
    "validate",
]

_PLACES = {
    "answers_of": "api.answers",
    "load_answer": "api.answers",
    "check_answers": "api.answers_check",
    "store_answer": "api.answers_store",
    "build": "api.build",
    "compress": "api.compress",
    "CompressOptions": "train.compression",
    "deploy": "api.deploy",
    "evaluate": "api.evaluate",
    "flash": "api.flash",
    "stop_emulators": "api.flash",
    "monitor": "api.monitor",
    "ports": "api.ports",
    "profile": "api.profile",
    "generate": "api.generate",
    "import_model": "api.import_model",
    "inspect": "api.inspect",
    "quantize": "api.quantize",
    "quantize_to_fit": "api.fit",
    "run": "api.run",
    "search": "api.search",
    "Limits": "api.search_result",
    "train": "api.train",
    "validate": "api.validate",
    "Augmentation": "train.settings",
    "TrainSettings": "train.settings",
    "Features": "api.features",
    "check_features": "api.features_check",
    "show_features": "api.features_show",
    "store_features": "api.features_store",
    "load_features": "api.features",
    "load_board": "boards",
    "load_boards": "boards",
    "read_model": "graph.reader",
    "TinymlError": "errors",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name not in _PLACES:
        raise AttributeError(f"module 'tinyml_tool' has no attribute '{name}'")
    from importlib import import_module

    value = getattr(import_module(f"tinyml_tool.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Keeps `train` the verb: importing the room `tinyml_tool.train` would make it that module."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _PLACES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
