/* Scaling of 32-bit accumulators by a real factor held as multiplier * 2^(shift - 31). */
#ifndef TINYML_REQUANTIZE_H
#define TINYML_REQUANTIZE_H

#include "tinyml_kernel.h"

/* round(value * multiplier / 2^31), halves towards plus infinity.
 *
 * Not both may be INT32_MIN: so the result always fits. */
TINYML_KERNEL int32_t tinyml_high_mul(int32_t value, int32_t multiplier)
{
  const int64_t product = (int64_t)value * multiplier;
  return (int32_t)((product + (INT64_C(1) << 30)) >> 31);
}

/* round(value / 2^exponent), halves away from zero.
 *
 * exponent: 0 to 31. */
TINYML_KERNEL int32_t tinyml_rounding_shift_right(int32_t value, int32_t exponent)
{
  const int32_t mask = (int32_t)((UINT32_C(1) << exponent) - 1u);
  const int32_t threshold = (mask >> 1) + (value < 0);
  return (value >> exponent) + ((value & mask) > threshold);
}

/* value * multiplier * 2^(shift - 31), rounded twice as TensorFlow Lite Micro does: once after the
 * multiplication, once after the shift to the right.
 *
 * multiplier: 0, or a magnitude of 2^30 and above.
 * shift: -31 to 31; a shift to the left wraps modulo 2^32, as it does in the reference. */
TINYML_KERNEL int32_t tinyml_requantize(int32_t value, int32_t multiplier, int32_t shift)
{
  const int32_t left = tinyml_max(shift, 0);
  const int32_t right = tinyml_max(-shift, 0);
  const int32_t shifted = (int32_t)((uint32_t)value << left);
  return tinyml_rounding_shift_right(tinyml_high_mul(shifted, multiplier), right);
}

/* The accumulator as an int8 output value, within the range of the fused activation.
 *
 * output_offset: the output's zero point. */
TINYML_KERNEL int8_t tinyml_requantize_s8(int32_t accumulator, int32_t multiplier, int32_t shift,
                                          int32_t output_offset, int32_t activation_min,
                                          int32_t activation_max)
{
  const int32_t scaled = tinyml_requantize(accumulator, multiplier, shift);
  const int32_t value = tinyml_wrapping_add(scaled, output_offset);
  return (int8_t)tinyml_clamp(value, activation_min, activation_max);
}

#endif
