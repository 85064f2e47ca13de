/* SOFTMAX on int16, by two tables between whose entries it interpolates. */
#ifndef TINYML_SOFTMAX_S16_H
#define TINYML_SOFTMAX_S16_H

#include "requantize.h"
#include "tinyml_kernel.h"

struct tinyml_softmax_s16_params {
  int32_t rows;       /* product of all dimensions but the last; 1 or more */
  int32_t depth;      /* length of the last dimension; 1 to 65535 */
  int32_t multiplier; /* from input to steps of 10/65535 in the exponent */
  int32_t shift;
};

/* The value at `place` of a table of 513 that spans -32768 to 32768. */
TINYML_KERNEL int32_t tinyml_interpolated_s16(const int16_t *table, int32_t place)
{
  const int32_t index = 256 + (place >> 7);
  const int32_t slope = (int16_t)(table[index + 1] - table[index]);
  return (int16_t)(table[index] + ((slope * (place & 0x7F) + 64) >> 7));
}

/* The bits by which `value`, 1 or more, could be shifted to the left and stay below 2^31. */
TINYML_KERNEL int32_t tinyml_headroom(int32_t value)
{
  int32_t bits = 0;
  for (; value < (1 << 30); value *= 2) {
    ++bits;
  }
  return bits;
}

/* input, output: [rows, depth]; output scale 2^-15.
 * exponentials: [513], exp(x) as Q0.15 for x from -10 to 0.
 * reciprocals: [513], 1 / (1 + x) as Q0.15 for x from 0 to 1. */
TINYML_KERNEL void tinyml_softmax_s16(const struct tinyml_softmax_s16_params *params,
                                      const int16_t *input, const int16_t *exponentials,
                                      const int16_t *reciprocals, int16_t *output)
{
  for (int32_t r = 0; r < params->rows; ++r) {
    int32_t max = INT16_MIN;
    for (int32_t i = 0; i < params->depth; ++i) {
      max = tinyml_max(max, input[i]);
    }
    int32_t sum = 0; /* Q16.15 */
    for (int32_t i = 0; i < params->depth; ++i) {
      const int32_t scaled = tinyml_requantize(input[i] - max, params->multiplier, params->shift);
      const int32_t place = tinyml_wrapping_add(scaled, INT16_MAX);
      const int32_t inside = tinyml_clamp(place, INT16_MIN, INT16_MAX);
      output[i] = (int16_t)tinyml_interpolated_s16(exponentials, inside);
      sum += output[i];
    }
    const int32_t headroom = tinyml_headroom(sum);
    const int32_t normal = ((sum << headroom) + (1 << 13)) >> 14; /* 2^16 to 2^17 */
    const int32_t place = tinyml_clamp(normal - (1 << 15) - (1 << 16), INT16_MIN, INT16_MAX);
    const int32_t reciprocal = tinyml_interpolated_s16(reciprocals, place);
    const int32_t right = 30 - headroom;
    for (int32_t i = 0; i < params->depth; ++i) {
      const int64_t product = (int64_t)output[i] * reciprocal + (INT64_C(1) << (right - 1));
      output[i] = (int16_t)tinyml_clamp((int32_t)(product >> right), 0, INT16_MAX);
    }
    input += params->depth;
    output += params->depth;
  }
}

#endif
