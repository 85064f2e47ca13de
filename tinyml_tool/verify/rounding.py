"""How far float values may be from the reference's where nobody can promise the same bits.

Engine tflm links a library that its user compiled, and two things in it round differently from the
reference on the host:

- GCC fuses a multiplication with an addition where the core can (its default, -ffp-contract=fast):
  one rounding where the reference has two, in every term of every dot product.
- expf() of the C library.  newlib has two: on cores with a double-precision FPU the one that glibc
  has, too; on others an older one in single precision, which differs by 1 unit in the last place
  in 1,996 of 20,000 arguments from -20 to 0 (Cortex-M4 and newlib 3.3, against glibc 2.36; the one
  of a Cortex-M7 differs in none).

Integers are never concerned: they are compared as bits, whatever the engine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT_TOLERANCE = 2.0**-14
"""Of the largest magnitude in the tensor, about 6.1e-5.

The most that was measured is 7.1e-6 (nine convolutions deep, fused; 2e-8 with expf() alone): see
docs/tflm.md.  Relative to the tensor and not to the value, because rounding errors are as large as
the terms of a sum, not as the sum, which may be near zero.
"""


def deviations(expected: NDArray[Any], actual: NDArray[Any]) -> NDArray[np.float64]:
    """How far each value is off, as a share of the largest magnitude expected in the tensor.

    Of float arrays of equally many values; the result has one dimension.  0 where both are NaN or
    the same infinity; infinite where only one is, and where a tensor of zeros is expected.
    """
    wanted, found = (np.asarray(array, np.float64).reshape(-1) for array in (expected, actual))
    finite = np.isfinite(wanted)
    largest = np.abs(wanted[finite]).max(initial=0.0)
    same = (wanted == found) | (np.isnan(wanted) & np.isnan(found))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        shares = np.abs(found - wanted) / largest
    lost = ~finite | ~np.isfinite(found)
    return np.where(same, 0.0, np.where(lost, np.inf, shares))
