"""Read TOML into strict pydantic models: every wrong key and value is told, with a likely name."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from tinyml_tool.errors import ConfigError

M = TypeVar("M", bound=BaseModel)


def read_toml(text: str, source: str) -> dict[str, Any]:
    """Parse TOML.  Raises ConfigError with the place of the first syntax error in `source`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from None


def toml_text(values: Mapping[str, Any]) -> str:
    """`values` as TOML, which `read_toml` reads as the same: texts, numbers, lists and tables.

    >>> print(toml_text({"a": 1, "b": {"c": ("x", "y"), "d": True}}), end="")
    a = 1
    <BLANKLINE>
    [b]
    c = ["x", "y"]
    d = true
    """
    return "\n".join(_tables(values, ())) + "\n"


def _tables(values: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    lines = [f"{toml_key(key)} = {_plain(value)}" for key, value in plain.items()]
    for key, value in values.items():
        if isinstance(value, Mapping):
            inner = (*path, toml_key(key))
            lines += ["", f"[{'.'.join(inner)}]", *_tables(value, inner)]
    return lines


def toml_key(key: str) -> str:
    """A key as TOML writes it: quoted where it has other characters than letters and digits."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _plain(key)


def _plain(value: str | bool | int | float | Sequence[Any] | Mapping[str, Any]) -> str:
    if isinstance(value, str):
        # JSON's text is TOML's, but for the one control character that JSON lets through
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):  # in a list: elsewhere tables have a place of their own
        pairs = ", ".join(f"{toml_key(key)} = {_plain(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return json.dumps(value)


def validate(model: type[M], values: Mapping[str, Any], source: str) -> M:
    """`values` as a `model`.  Raises ConfigError that lists every problem of `source`."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = [_describe(model, dict(problem)) for problem in error.errors()]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ConfigError(f"{source}: {problems[0]}{more}", details=problems) from None


def _describe(model: type[BaseModel], problem: dict[str, Any]) -> str:
    path = [str(part) for part in problem["loc"]]
    where = ".".join(path)
    if problem["type"] == "missing":
        return f"'{where}' is missing"
    if not path:  # what the table as a whole breaks
        return str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] != "extra_forbidden":
        return f"'{where}' = {problem['input']!r}: {problem['msg']}"
    near = difflib.get_close_matches(path[-1], _keys_at(model, path[:-1]), n=1)
    return f"unknown key '{where}'" + (f", did you mean '{near[0]}'?" if near else "")


def _keys_at(model: type[BaseModel], path: list[str]) -> list[str]:
    for part in path:
        if part not in model.model_fields:  # a name in a table of tables, which all hold the same
            continue
        annotation: Any = model.model_fields[part].annotation
        options = get_args(annotation) or (annotation,)
        model = next(o for o in options if isinstance(o, type) and issubclass(o, BaseModel))
    return list(model.model_fields)
