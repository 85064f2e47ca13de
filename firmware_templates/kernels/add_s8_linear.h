/* ADD on int8 without broadcasting: one linear function of both inputs, proven for all of them. */
#ifndef TINYML_ADD_S8_LINEAR_H
#define TINYML_ADD_S8_LINEAR_H

#include "tinyml_kernel.h"

struct tinyml_add_s8_linear_params {
  int32_t elements; /* 1 and above */
  int32_t factor_1;
  int32_t factor_2;
  int32_t offset;
  int32_t shift;          /* 1 to 22 */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

TINYML_KERNEL int8_t tinyml_add_s8_linear_value(const struct tinyml_add_s8_linear_params *params,
                                                int8_t a, int8_t b)
{
  const int32_t sum = a * params->factor_1 + params->offset + b * params->factor_2;
  return (int8_t)tinyml_clamp(sum >> params->shift, params->activation_min, params->activation_max);
}

/* output[i] = (a * factor_1 + b * factor_2 + offset) >> shift, clamped.
 *
 * input_1, input_2, output: [elements]. */
TINYML_KERNEL void tinyml_add_s8_linear(const struct tinyml_add_s8_linear_params *params,
                                        const int8_t *input_1, const int8_t *input_2,
                                        int8_t *output)
{
  int32_t i = 0;
  /* Four at a time, as compilers leave loops rolled at -O2. */
  for (; i < params->elements - 3; i += 4) {
    output[i] = tinyml_add_s8_linear_value(params, input_1[i], input_2[i]);
    output[i + 1] = tinyml_add_s8_linear_value(params, input_1[i + 1], input_2[i + 1]);
    output[i + 2] = tinyml_add_s8_linear_value(params, input_1[i + 2], input_2[i + 2]);
    output[i + 3] = tinyml_add_s8_linear_value(params, input_1[i + 3], input_2[i + 3]);
  }
  for (; i < params->elements; ++i) {
    output[i] = tinyml_add_s8_linear_value(params, input_1[i], input_2[i]);
  }
}

#endif
