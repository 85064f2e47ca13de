/* Pixels as weighted means of others, along a row or down the rows. */
#ifndef TINYML_RESAMPLE_U8_H
#define TINYML_RESAMPLE_U8_H

#include "tinyml_kernel.h"

/* Weights of a pixel add up to 2^15, so the sum of 255 times them stays far below 2^31. */
TINYML_KERNEL uint8_t tinyml_weighted_pixel(uint32_t sum)
{
  return (uint8_t)((sum + (UINT32_C(1) << 14)) >> 15);
}

/* width: pixels of the result.  taps: pixels that each comes from.
 * starts: [width] the first of them.  weights: [width][taps].
 * from: [.][channels].  to: [width][channels]. */
TINYML_KERNEL void tinyml_resample_row_u8(int32_t width, int32_t channels, int32_t taps,
                                          const uint16_t *starts, const uint16_t *weights,
                                          const uint8_t *from, uint8_t *to)
{
  for (int32_t x = 0; x < width; ++x) {
    for (int32_t c = 0; c < channels; ++c) {
      const uint8_t *const first = from + channels * starts[x] + c;
      if (taps == 1) {
        to[channels * x + c] = first[0];
        continue;
      }
      uint32_t sum = 0;
      for (int32_t t = 0; t < taps; ++t) {
        sum += (uint32_t)weights[taps * x + t] * first[channels * t];
      }
      to[channels * x + c] = tinyml_weighted_pixel(sum);
    }
  }
}

/* The value at `place` of a row that is the mean of `taps` rows from row `start` on.
 *
 * rows: [taps][row_bytes], where row r lies at place r % taps.
 * weights: [taps]. */
TINYML_KERNEL uint8_t tinyml_resample_column_u8(int32_t taps, int32_t row_bytes, int32_t start,
                                                const uint16_t *weights, const uint8_t *rows,
                                                int32_t place)
{
  if (taps == 1) {
    return rows[place];
  }
  uint32_t sum = 0;
  int32_t slot = start % taps;
  for (int32_t t = 0; t < taps; ++t) {
    sum += (uint32_t)weights[t] * rows[slot * row_bytes + place];
    slot = slot + 1 < taps ? slot + 1 : 0;
  }
  return tinyml_weighted_pixel(sum);
}

#endif
