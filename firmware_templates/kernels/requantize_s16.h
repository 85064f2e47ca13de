/* Sums of layers with 16-bit activations as int16 output values. */
#ifndef TINYML_REQUANTIZE_S16_H
#define TINYML_REQUANTIZE_S16_H

#include "requantize.h"
#include "tinyml_kernel.h"

/* How sums are scaled. TensorFlow Lite Micro rounds those with a 32-bit bias twice, those with a
 * 64-bit bias once and with 15 bits of the multiplier only. */
enum {
  TINYML_TWICE = 0,    /* sums of 32 bits: multiplier and shift as tinyml_requantize takes them */
  TINYML_ONCE = 1,     /* round(sum * multiplier / 2^shift); multiplier: 0 to 2^15 - 1; shift: 8 to
                          46; sums of 48 bits */
  TINYML_HIGH_WORD = 2 /* round(sum * multiplier / 2^32); sums of 32 bits */
};

/* What the sums of a layer are, and how they become output values. */
struct tinyml_sums_s16 {
  int32_t wide;           /* 1: sums of 64 bits; 0: of 32 bits, modulo 2^32 */
  int32_t rounding;       /* TINYML_TWICE, TINYML_ONCE or TINYML_HIGH_WORD */
  int32_t bias_bytes;     /* of a bias value: 4, or 8 */
  int32_t pairs;          /* 1: two products at a time, by DSP instructions */
  int32_t activation_min; /* -32768 to 32767 */
  int32_t activation_max; /* -32768 to 32767 */
};

/* The sum with which an output of channel c begins. bias: NULL for none. */
TINYML_KERNEL int64_t tinyml_bias_s16(const struct tinyml_sums_s16 *sums, const void *bias,
                                      int32_t c)
{
  if (bias == NULL) {
    return 0;
  }
  return sums->bias_bytes == 8 ? ((const int64_t *)bias)[c] : ((const int32_t *)bias)[c];
}

/* round(sum * multiplier / 2^shift), halves towards plus infinity, modulo 2^32. */
TINYML_KERNEL int32_t tinyml_requantize_once(int64_t sum, int32_t multiplier, int32_t shift)
{
  const int64_t scaled = sum * multiplier + (INT64_C(1) << (shift - 1));
  return (int32_t)(uint32_t)((uint64_t)(scaled >> shift) & UINT32_MAX);
}

/* A sum as an output value, within the range of the fused activation. */
TINYML_KERNEL int16_t tinyml_requantize_s16(const struct tinyml_sums_s16 *sums, int64_t sum,
                                            int32_t multiplier, int32_t shift)
{
  int32_t value;
  if (sums->rounding == TINYML_TWICE) {
    value = tinyml_requantize((int32_t)sum, multiplier, shift);
  } else if (sums->rounding == TINYML_HIGH_WORD) {
    const int64_t product = (int64_t)(int32_t)sum * multiplier;
    value = (int32_t)((product + (INT64_C(1) << 31)) >> 32);
  } else {
    value = tinyml_requantize_once(sum, multiplier, shift);
  }
  return (int16_t)tinyml_clamp(value, sums->activation_min, sums->activation_max);
}

/* value * multiplier * 2^(shift - 31) as an output value; see tinyml_requantize. */
TINYML_KERNEL int16_t tinyml_rescale_s16(int32_t value, int32_t multiplier, int32_t shift,
                                         int32_t activation_min, int32_t activation_max)
{
  const int32_t scaled = tinyml_requantize(value, multiplier, shift);
  return (int16_t)tinyml_clamp(scaled, activation_min, activation_max);
}

#endif
