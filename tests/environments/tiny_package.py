"""A Python package of one line, as a wheel that pip installs without any network."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tinyml_tool.environments.catalogue import Environment


def wheel(folder: Path, name: str, source: str = "value = 7\n") -> Path:
    """Write the wheel of a package with one module."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    facts = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", source)
        archive.writestr(
            f"{facts}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        )
        archive.writestr(f"{facts}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(
            f"{facts}/RECORD",
            f"{name}.py,,\n{facts}/METADATA,,\n{facts}/WHEEL,,\n{facts}/RECORD,,\n",
        )
    return path


def environment(requirement: str, module: str) -> Environment:
    """An environment of that one package."""
    return Environment(
        name="tiny",
        requirements=(requirement,),
        modules=(module,),
        variable="TINYML_TINY_PYTHON",
        disk_gb=0.02,
        needed_for="tests",
    )
