"""Where the data folders (`boards/`, `firmware_templates/`) are: in a checkout or in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_folder(name: str) -> Path:
    """Return the folder `name`, from the installed package or else from the source checkout.

    Raises FileNotFoundError where neither has it (a broken installation).
    """
    for folder in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the data folder '{name}' of tinyml-tool is missing; reinstall it")
