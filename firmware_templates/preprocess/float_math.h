/* Single-precision arithmetic that gives the same bits on every core and on the computer.
 *
 * Only +, -, *, / and comparisons are used, which IEEE 754 rounds in one way; so no function of the
 * C library, no fused multiply-add and no wider intermediate result is allowed here.
 */
#ifndef TINYML_FLOAT_MATH_H
#define TINYML_FLOAT_MATH_H

#include <float.h>

#include "tinyml_kernel.h"

#if defined(__FAST_MATH__)
#error "features differ from those of the training with -ffast-math"
#endif
#if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#error "features differ from those of the training where floats are computed in a wider type"
#endif

TINYML_KERNEL uint32_t tinyml_bits_of(float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

TINYML_KERNEL float tinyml_float_of(uint32_t bits)
{
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Natural logarithm, within 3 units of the last place or 1e-7 of the real one.
 *
 * value: finite, FLT_MIN or above.
 * log(2^e m) = e log 2 + log m, and log m = 2 atanh((m - 1) / (m + 1)) by its series. */
TINYML_KERNEL float tinyml_log(float value)
{
  const uint32_t bits = tinyml_bits_of(value);
  int32_t exponent = (int32_t)(bits >> 23) - 127;
  float m = tinyml_float_of((bits & 0x007FFFFFu) | 0x3F800000u);
  if (m > 1.41421356f) {
    m *= 0.5f;
    ++exponent;
  }
  const float s = (m - 1.0f) / (m + 1.0f);
  const float z = s * s;
  const float series =
      0.66666667f + z * (0.4f + z * (0.28571429f + z * (0.22222222f + z * 0.18181818f)));
  const float log_m = 2.0f * s + s * z * series;
  /* log 2 in two parts: the first has few bits, so its multiples are exact. */
  const float e = (float)exponent;
  return e * 0.693359375f + (e * -2.12194440e-4f + log_m);
}

/* Square root, within 1 unit of the last place; 0 below FLT_MIN.
 *
 * Newton's method on 1 / sqrt(value), which starts with half the negated exponent. */
TINYML_KERNEL float tinyml_sqrt(float value)
{
  if (!(value >= FLT_MIN)) {
    return 0.0f;
  }
  float y = tinyml_float_of(0x5F3759DFu - (tinyml_bits_of(value) >> 1));
  for (int32_t step = 0; step < 3; ++step) {
    y = y * (1.5f - (0.5f * value) * y * y);
  }
  const float root = value * y;
  return root + 0.5f * y * (value - root * root);
}

#endif
