/* QUANTIZE from float32 to int8. */
#ifndef TINYML_QUANTIZE_F32_S8_H
#define TINYML_QUANTIZE_F32_S8_H

#include "quantize_f32.h"
#include "tinyml_kernel.h"

struct tinyml_quantize_f32_s8_params {
  float scale;        /* of the output; above 0 */
  int32_t zero_point; /* of the output; INT8_MIN to INT8_MAX */
  int32_t elements;   /* values to quantize; 1 or more */
};

TINYML_KERNEL void tinyml_quantize_f32_s8(const struct tinyml_quantize_f32_s8_params *params,
                                          const float *input, int8_t *output)
{
  for (int32_t i = 0; i < params->elements; ++i) {
    output[i] = (int8_t)tinyml_quantize_f32(input[i], params->scale, params->zero_point, INT8_MIN,
                                            INT8_MAX);
  }
}

#endif
