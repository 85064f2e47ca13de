/* QUANTIZE from float32 to int16. */
#ifndef TINYML_QUANTIZE_F32_S16_H
#define TINYML_QUANTIZE_F32_S16_H

#include "quantize_f32.h"
#include "tinyml_kernel.h"

struct tinyml_quantize_f32_s16_params {
  float scale;        /* of the output; above 0 */
  int32_t zero_point; /* of the output; INT16_MIN to INT16_MAX */
  int32_t elements;   /* values to quantize; 1 or more */
};

TINYML_KERNEL void tinyml_quantize_f32_s16(const struct tinyml_quantize_f32_s16_params *params,
                                           const float *input, int16_t *output)
{
  for (int32_t i = 0; i < params->elements; ++i) {
    output[i] = (int16_t)tinyml_quantize_f32(input[i], params->scale, params->zero_point, INT16_MIN,
                                             INT16_MAX);
  }
}

#endif
