/* Quantization of a single-precision number. */
#ifndef TINYML_QUANTIZE_F32_H
#define TINYML_QUANTIZE_F32_H

#include "tinyml_kernel.h"

/* round(value / scale) + zero_point, halves away from zero, clamped to [low, high].
 *
 * Needs only correctly rounded division, subtraction and comparison, so a soft-float core gives the
 * same result as an FPU. TensorFlow Lite Micro converts the quotient to int32 unchecked, which is
 * undefined from 2^31 on; here it saturates, and NaN counts as 0, as the conversion instruction of
 * Arm's FPUs does.
 *
 * scale: above 0.  zero_point, low, high: within int16, so quotients from 2^16 on are clamped. */
TINYML_KERNEL int32_t tinyml_quantize_f32(float value, float scale, int32_t zero_point, int32_t low,
                                          int32_t high)
{
  const float steps = value / scale;
  if (steps >= 65536.0f) {
    return high;
  }
  if (steps <= -65536.0f) {
    return low;
  }
  int32_t rounded = 0;
  if (steps == steps) { /* false for NaN only */
    rounded = (int32_t)steps;
    const float rest = steps - (float)rounded;
    rounded += (rest >= 0.5f) - (rest <= -0.5f);
  }
  return tinyml_clamp(rounded + zero_point, low, high);
}

#endif
