"""log(1 + x) in single precision, as C libraries for microcontrollers compute it.

A correctly rounded result would be another one in some last places, and so would be two weights of
the micro front end.  Method, as in the mathematical libraries of FreeBSD and newlib (and of glibc
before 2.41): 1 + x = 2^k (1 + f), and log(1 + f) = f - f^2 / 2 + s (f^2 / 2 + R(s^2)) with
s = f / (2 + f) and a polynomial R.
"""

from __future__ import annotations

from math import frexp, sqrt

import numpy as np

_F = np.float32
_LN2_HIGH, _LN2_LOW = _F(0.69313812256), _F(9.0580006145e-06)
_POLYNOMIAL = tuple(
    map(
        _F,
        (
            0.66666668653,
            0.40000000596,
            0.28571429849,
            0.22222198546,
            0.1818357259,
            0.15313838422,
            0.1479819864,
        ),
    )
)


def log1p(x: np.float32) -> np.float32:
    """The logarithm of 1 + x for 0 <= x < 2^20; every step is rounded to single precision."""
    if x < _F(sqrt(2) - 1):
        return _log_1_plus(x, 0, _F(0))
    u = _F(1) + x
    mantissa, k = frexp(float(u))
    mantissa, k = 2 * mantissa, k - 1
    lost = (_F(1) - (u - x) if k > 0 else x - (u - _F(1))) / u
    if mantissa >= sqrt(2):
        mantissa, k = mantissa / 2, k + 1
    return _log_1_plus(_F(mantissa) - _F(1), k, lost)


def _log_1_plus(f: np.float32, k: int, lost: np.float32) -> np.float32:
    """Sum of k log 2 and log(1 + f), where 1 + f has lost a part of its own size in rounding."""
    half_square = _F(0.5) * f * f
    s = f / (_F(2) + f)
    z = s * s
    rest = _F(0)
    for coefficient in reversed(_POLYNOMIAL):
        rest = z * (coefficient + rest)
    correction = s * (half_square + rest)
    if k == 0:
        return f - (half_square - correction)
    high, low = _F(k) * _LN2_HIGH, _F(k) * _LN2_LOW + lost
    return high - ((half_square - (correction + low)) - f)
