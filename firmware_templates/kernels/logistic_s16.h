/* LOGISTIC on int16, by a table of the logistic function between whose entries it interpolates. */
#ifndef TINYML_LOGISTIC_S16_H
#define TINYML_LOGISTIC_S16_H

#include "tinyml_kernel.h"

struct tinyml_logistic_s16_params {
  int32_t multiplier; /* to the table's scale of 1/(3 * 2^12); 0 to 2^17 */
  int32_t shift;      /* to the right, 0 to 31 */
  int32_t elements;
};

/* sigmoids: [256], 1 / (1 + exp(-i / 24)) as Q0.16. */
TINYML_KERNEL void tinyml_logistic_s16(const struct tinyml_logistic_s16_params *params,
                                       const int16_t *input, const uint16_t *sigmoids,
                                       int16_t *output)
{
  const uint32_t half = params->shift > 0 ? UINT32_C(1) << (params->shift - 1) : 0u;
  for (int32_t i = 0; i < params->elements; ++i) {
    const uint32_t product = (uint32_t)(input[i] * params->multiplier);
    const int32_t value = (int32_t)(product + half) >> params->shift;
    const uint32_t magnitude = value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
    const uint32_t place = magnitude >> 9;
    uint32_t result = UINT32_C(0x7FFF) << 10;
    if (place < 255) {
      const uint32_t slope = (uint32_t)(sigmoids[place + 1] - sigmoids[place]);
      result = ((uint32_t)sigmoids[place] << 9) + (magnitude & 0x1FFu) * slope;
    }
    result = value >= 0 ? result + (1u << 9) : (1u << 25) - result + (1u << 9) - 1u;
    output[i] = (int16_t)(result >> 10);
  }
}

#endif
