"""The one Jinja environment that renders `firmware_templates/`."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tinyml_tool.firmware.c_text import c_array, c_comment, c_float, c_int, c_string
from tinyml_tool.resources import data_folder


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(data_folder("firmware_templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # C sources, no HTML
    )
    environment.filters.update(
        c_array=c_array, c_comment=c_comment, c_float=c_float, c_int=c_int, c_string=c_string
    )
    return environment


def render(template: str, **values: Any) -> str:  # noqa: ANN401 - what a template needs
    """Render `firmware_templates/<template>`; an undefined value is an error."""
    return _environment().get_template(template).render(**values)


def source(path: str) -> str:
    """The text of a plain file of `firmware_templates/`."""
    return (data_folder("firmware_templates") / path).read_text(encoding="utf-8")
