/* TANH on int16, by a table of the logistic function between whose entries it interpolates. */
#ifndef TINYML_TANH_S16_H
#define TINYML_TANH_S16_H

#include "tinyml_kernel.h"

struct tinyml_tanh_s16_params {
  int32_t multiplier; /* to the table's scale of 1/(3 * 2^12); 0 to 2^17 */
  int32_t shift;      /* to the right, 0 to 31 */
  int32_t elements;
};

/* sigmoids: [256], 1 / (1 + exp(-i / 24)) as Q0.16. */
TINYML_KERNEL void tinyml_tanh_s16(const struct tinyml_tanh_s16_params *params,
                                   const int16_t *input, const uint16_t *sigmoids, int16_t *output)
{
  const uint32_t half = params->shift > 0 ? UINT32_C(1) << (params->shift - 1) : 0u;
  for (int32_t i = 0; i < params->elements; ++i) {
    const uint32_t product = (uint32_t)(input[i] * params->multiplier);
    const int32_t value = (int32_t)(product + half) >> params->shift;
    const uint32_t magnitude = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    const uint32_t place = magnitude >> 8;
    int32_t result = 0xFFFF << 8;
    if (place < 255) {
      const int32_t slope = sigmoids[place + 1] - sigmoids[place];
      result = (sigmoids[place] << 8) + (int32_t)(magnitude & 0xFFu) * slope;
    }
    result = value >= 0 ? result - (1 << 23) + (1 << 7) : (1 << 23) - result + (1 << 7) - 1;
    output[i] = (int16_t)(result >> 8);
  }
}

#endif
