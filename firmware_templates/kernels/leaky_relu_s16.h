/* RELU and LEAKY_RELU on int16: one factor for positive values, another one for negative ones. */
#ifndef TINYML_LEAKY_RELU_S16_H
#define TINYML_LEAKY_RELU_S16_H

#include "requantize.h"
#include "tinyml_kernel.h"

struct tinyml_leaky_relu_s16_params {
  int32_t multiplier; /* of values of 0 and more; as tinyml_requantize takes them */
  int32_t shift;
  int32_t negative_multiplier; /* of negative values */
  int32_t negative_shift;
  int32_t negated; /* 1: the slope of negative values is negative */
  int32_t elements;
};

TINYML_KERNEL void tinyml_leaky_relu_s16(const struct tinyml_leaky_relu_s16_params *params,
                                         const int16_t *input, int16_t *output)
{
  for (int32_t i = 0; i < params->elements; ++i) {
    int32_t value = input[i];
    if (value >= 0) {
      value = tinyml_requantize(value, params->multiplier, params->shift);
    } else {
      value = tinyml_requantize(value, params->negative_multiplier, params->negative_shift);
      value = params->negated != 0 ? tinyml_wrapping_sub(0, value) : value;
    }
    output[i] = (int16_t)tinyml_clamp(value, INT16_MIN, INT16_MAX);
  }
}

#endif
