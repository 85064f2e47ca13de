/* Gain that depends on the noise in each band (PCAN, Wang et al. 2017), for the micro front end. */
#ifndef TINYML_MICRO_PCAN_H
#define TINYML_MICRO_PCAN_H

#include "bit_length.h"

/* The gain at a noise of `x`: a parabola between powers of two.
 *
 * table: [125] gains at 0 and 1, then for each further length in bits 4 numbers: gain at its
 * smallest number, slope, curvature, nothing. */
TINYML_KERNEL int32_t tinyml_micro_gain(uint32_t x, const int16_t *table)
{
  if (x <= 2) {
    return table[x];
  }
  const int32_t bits = tinyml_bit_length(x);
  const int16_t *const at = table + 4 * bits - 6;
  const int32_t share = (int32_t)((bits < 11 ? x << (11 - bits) : x >> (bits - 11)) & 0x3FF);
  const int32_t slope = (at[2] * share >> 5) + at[1] * 32;
  const int32_t rise = (int32_t)((uint32_t)slope * (uint32_t)share);
  return (int16_t)((tinyml_wrapping_add(rise, 1 << 14) >> 15) + at[0]);
}

/* Squares small ratios of signal and noise, and is linear from 2 on: Q20.12 to Q26.6. */
TINYML_KERNEL uint32_t tinyml_micro_shrink(uint32_t ratio)
{
  return ratio < UINT32_C(2) << 12 ? ratio * ratio >> 20 : (ratio >> 6) - 64;
}

/* amplitudes: [bands], updated.  estimates: [bands] of the noise. */
TINYML_KERNEL void tinyml_micro_pcan(int32_t bands, int32_t ratio_shift, const int16_t *table,
                                     const uint32_t *estimates, uint32_t *amplitudes)
{
  for (int32_t i = 0; i < bands; ++i) {
    const uint32_t gain = (uint32_t)tinyml_micro_gain(estimates[i], table);
    amplitudes[i] = tinyml_micro_shrink((uint32_t)((uint64_t)amplitudes[i] * gain >> ratio_shift));
  }
}

#endif
