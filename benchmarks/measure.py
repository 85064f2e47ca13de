"""Measures models on emulated boards and compares them with what others need.

    python benchmarks/measure.py [MODEL...] [--board ID...]

Without models: all that the tests share, on all emulated cores.  Each firmware is built, run, and
compared with TensorFlow Lite Micro in every layer.  Prints Markdown: a table of everything, then
instructions, arena and flash beside the numbers of `peers.json`.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from rows import Row, measure, read_rows, worse, write_rows
from tables import comparison, head, line

_HERE = Path(__file__).resolve().parent
_MODELS = (
    "hello_world_int8",
    "kws_ref_model",
    "vww_96_int8",
    "pretrainedResnet_quant",
    "ad01_int8",
    "person_detect",
)
_BOARDS = ("qemu-m0", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55")
_M0PLUS = str(_HERE / "qemu-m0plus.toml")


def _shared_models() -> list[Path]:
    folder = Path(os.environ.get("TINYML_SHARED", _HERE.parent.parent / "shared")) / "models"
    return [folder / f"{name}.tflite" for name in _MODELS]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", type=Path, help="default: those that tests share")
    parser.add_argument("--board", nargs="+", default=[*_BOARDS, _M0PLUS], help="ids or files")
    parser.add_argument("--vectors", type=int, default=10, help="inputs to compare (10)")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    parser.add_argument("--baseline", type=Path, help="fail where a row is worse than in this file")
    return parser.parse_args()


def _tables(rows: list[Row]) -> str:
    return "\n".join([head(), *map(line, rows), "", *comparison(rows), ""])


def main() -> int:
    """Measure, print, write, judge."""
    arguments = _arguments()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for model in arguments.models or _shared_models():
            for board in arguments.board:
                rows.append(measure(model, board, Path(folder), arguments.vectors))
                print(line(rows[-1]), file=sys.stderr, flush=True)
    print(_tables(rows))
    if arguments.json:
        write_rows(rows, arguments.json)
    if arguments.markdown:
        arguments.markdown.write_text(_tables(rows))
    complaints = worse(rows, read_rows(arguments.baseline)) if arguments.baseline else []
    complaints += [f"{row.model} on {row.board} differs" for row in rows if row.values_different]
    for complaint in complaints:
        print(f"worse: {complaint}", file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
