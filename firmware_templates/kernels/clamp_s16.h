/* Clamping of int16 values: what activations such as RELU6 are where input and output have the same
 * quantization. */
#ifndef TINYML_CLAMP_S16_H
#define TINYML_CLAMP_S16_H

#include "tinyml_kernel.h"

struct tinyml_clamp_s16_params {
  int32_t low;      /* smallest result; -32768 to 32767 */
  int32_t high;     /* largest result; low to 127 */
  int32_t elements; /* values to clamp; 1 or more */
};

TINYML_KERNEL void tinyml_clamp_s16(const struct tinyml_clamp_s16_params *params,
                                    const int16_t *input, int16_t *output)
{
  for (int32_t i = 0; i < params->elements; ++i) {
    output[i] = (int16_t)tinyml_clamp(input[i], params->low, params->high);
  }
}

#endif
