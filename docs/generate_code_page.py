"""Writes docs/generated-code.md from what the tool makes of examples/digits.

python docs/generate_code_page.py
"""

from __future__ import annotations

import re
from pathlib import Path

from tinyml_tool.boards import load_board
from tinyml_tool.compiler.compile import compile_rewritten
from tinyml_tool.compiler.target import Target
from tinyml_tool.firmware.model_sources import model_sources
from tinyml_tool.graph.passes.rewrite import rewrite
from tinyml_tool.graph.reader import read_model

PAGE = Path(__file__).parent / "generated-code.md"
MODEL = Path(__file__).parents[1] / "examples" / "digits" / "digits.tflite"
BOARD = "qemu-m4"

_TEXT = """\
# A page of generated C

*Made from `examples/digits` by `docs/generate_code_page.py`; a test keeps it equal to what the tool
generates. Change the tool, not the page.*

`tinyml generate examples/digits/digits.tflite --board {board}` writes one file for the model,
`lib/model/model.c`, and puts the kernels it needs beside it, in `lib/kernels/`. This is the file's
begin, its first two layers and its end, as they are. Kernels are always inlined and their
parameters are constants, so that the C compiler makes one function of each layer, with its sizes in
the instructions; a layer is a function of its own, so that a debugger and a profiler tell layers
apart.

```c
{begin}
...

{layers}
...

{invoke}
```

What each kernel does, and why it is exact, is in [kernels](kernels.md). A layer that a pass changed
or joined with others is compared where its values still exist; `--no-pass NAME` leaves a pass out,
and `--no-pass split-rows` compares every layer by itself, as told in
[passes](passes.md#what-is-still-proven).
"""


def code_page() -> str:
    """The page for the model as this version of the tool compiles it."""
    graph = read_model(MODEL)
    plan = compile_rewritten(rewrite(graph), Target(load_board(BOARD).core))
    code = model_sources(plan)["lib/model/model.c"]
    parts = re.split(r"(?m)^(?=/\* \d+: [A-Z])", code)
    begin = parts[0][: parts[0].index("#define ASSERT_IN_ARENA")].rstrip()
    invoke = re.search(r"(?ms)^int model_invoke\(void\)\n.*?^}", code)
    assert invoke is not None
    return _TEXT.format(
        board=BOARD,
        begin=begin,
        layers="".join(parts[1:3]).rstrip(),
        invoke=invoke[0],
    )


if __name__ == "__main__":
    PAGE.write_text(code_page(), encoding="utf-8")
