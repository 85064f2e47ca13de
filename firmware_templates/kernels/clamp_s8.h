/* Clamping of int8 values: what activations such as RELU6 are where input and output have the same
 * quantization. */
#ifndef TINYML_CLAMP_S8_H
#define TINYML_CLAMP_S8_H

#include "tinyml_kernel.h"

struct tinyml_clamp_s8_params {
  int32_t low;      /* smallest result; -128 to 127 */
  int32_t high;     /* largest result; low to 127 */
  int32_t elements; /* values to clamp; 1 or more */
};

TINYML_KERNEL void tinyml_clamp_s8(const struct tinyml_clamp_s8_params *params, const int8_t *input,
                                   int8_t *output)
{
  for (int32_t i = 0; i < params->elements; ++i) {
    output[i] = (int8_t)tinyml_clamp(input[i], params->low, params->high);
  }
}

#endif
