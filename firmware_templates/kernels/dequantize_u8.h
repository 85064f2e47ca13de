/* DEQUANTIZE from uint8 to float32. */
#ifndef TINYML_DEQUANTIZE_U8_H
#define TINYML_DEQUANTIZE_U8_H

#include "tinyml_kernel.h"

struct tinyml_dequantize_u8_params {
  float scale;        /* of the input; above 0 */
  int32_t zero_point; /* of the input; in the range of uint8 */
  int32_t elements;   /* values to dequantize; 1 or more */
};

/* output = scale * (input - zero_point).
 *
 * The difference is exact in single precision and the product is rounded once, so the result is
 * the same number as that of the double-precision product of TensorFlow Lite Micro. */
TINYML_KERNEL void tinyml_dequantize_u8(const struct tinyml_dequantize_u8_params *params,
                                        const uint8_t *input, float *output)
{
  for (int32_t i = 0; i < params->elements; ++i) {
    output[i] = params->scale * (float)(input[i] - params->zero_point);
  }
}

#endif
