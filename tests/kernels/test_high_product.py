"""The upper half of a product, made of 16-bit halves: what Cortex-M0 has in place of SMULL."""

import shutil
import subprocess
from pathlib import Path

import pytest

KERNELS = Path(__file__).parents[2] / "firmware_templates" / "kernels"
PROGRAM = """
#include "dsp.h"

static const int32_t edges[] = {INT32_MIN, INT32_MIN + 1, -65537, -65536, -65535, -32769,
                                -32768, -1, 0, 1, 32767, 32768, 65535, 65536, 65537,
                                INT32_MAX - 1, INT32_MAX};
enum { EDGES = sizeof edges / sizeof edges[0] };

static int differs(int32_t a, int32_t b)
{
  return tinyml_high_by_halves(a, b) != (int32_t)(((int64_t)a * b) >> 32);
}

int main(void)
{
  uint32_t state = 1;
  for (int i = 0; i < EDGES; ++i) {
    for (int j = 0; j < EDGES; ++j) {
      if (differs(edges[i], edges[j])) {
        return 1;
      }
    }
  }
  for (int i = 0; i < 1000000; ++i) {
    const uint32_t a = state * 1664525u + 1013904223u;
    state = a * 1664525u + 1013904223u;
    if (differs((int32_t)a, (int32_t)state) || differs((int32_t)a, edges[a % EDGES])) {
      return 2;
    }
  }
  return 0;
}
"""


def test_the_upper_half_of_every_product_is_exact_and_no_step_overflows(tmp_path):
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler for this computer")
    source = tmp_path / "high.c"
    source.write_text(PROGRAM)
    program = tmp_path / "high"
    flags = ["-std=c11", "-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all"]
    command = [compiler, *flags, f"-I{KERNELS}", source, "-o", program]
    subprocess.run(command, check=True, timeout=60)
    assert subprocess.run([program], timeout=60, check=False).returncode == 0
