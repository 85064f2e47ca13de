"""Python values as C text: literals, strings and comments that no input can break."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LINE = 98

C_TYPES = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "bool": "uint8_t",
    "float32": "float",
}


def c_string(text: str) -> str:
    r"""A C string literal of printable ASCII; anything else becomes '?'.

    >>> c_string('a"b')
    '"a\\"b"'
    """
    safe = "".join(c if " " <= c <= "~" else "?" for c in text)
    return '"' + safe.replace("\\", "\\\\").replace('"', '\\"').replace("??", "?\\?") + '"'


def c_comment(text: str) -> str:
    """Text that is safe inside a C comment: printable ASCII that neither opens nor ends one.

    >>> c_comment("a */ b")
    'a * / b'
    """
    safe = "".join(c if " " <= c <= "~" else "?" for c in text)
    return safe.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")


def c_float(value: float) -> str:
    """The shortest float literal that reads back as the same single-precision number.

    >>> c_float(0.1), c_float(2.0)
    ('0.1f', '2.0f')
    """
    single = np.float32(value)
    if math.isnan(single):
        return '__builtin_nanf("")'
    if math.isinf(single):
        return "-__builtin_inff()" if single < 0 else "__builtin_inff()"
    text = np.format_float_scientific(single, trim="0", exp_digits=1)
    if 1e-4 <= abs(float(single)) < 1e7 or single == 0:
        text = np.format_float_positional(single, trim="0")
    return f"{text}f"


def c_int(value: int) -> str:
    """An integer literal of type int32_t, also for the smallest one.

    >>> c_int(-5), c_int(-2147483648)
    ('-5', 'INT32_MIN')
    """
    return "INT32_MIN" if value == -(2**31) else str(value)


def c_array(values: NDArray[Any], indent: str = "  ") -> str:
    """The elements of a one-dimensional array, comma-separated in lines of at most 98 columns.

    >>> c_array(np.array([1, -2, 3], np.int8))
    '  1, -2, 3,'
    """
    if values.dtype == np.float32:
        items = [c_float(float(v)) for v in values]
    elif values.dtype in (np.int32, np.int64):
        items = [c_int(v) for v in values.tolist()]
    else:
        items = list(map(str, values.astype(np.int64).tolist()))
    lines: list[str] = []
    width = max(map(len, items), default=1) + 2
    per_line = max(1, (LINE - len(indent)) // width)
    for start in range(0, len(items), per_line):
        lines.append(indent + ", ".join(items[start : start + per_line]) + ",")
    return "\n".join(lines)


def c_call(function: str, arguments: Sequence[str], indent: str = "  ") -> str:
    """A call as a statement, wrapped at 98 columns; the first line is not indented.

    >>> c_call("f", ["a", "b"])
    'f(a, b);'
    """
    start = f"{function}("
    lines, line = [], start
    for position, argument in enumerate(arguments):
        end = ");" if position == len(arguments) - 1 else ","
        space = "" if line == start else " "
        if len(indent + line + space + argument + end) > LINE and line != start:
            lines.append(line)
            line, space = indent + " " * len(start), ""
        line += space + argument + end
    return "\n".join([*lines, line])
