/* SOFTMAX from int8 to int16. */
#ifndef TINYML_SOFTMAX_S8_S16_H
#define TINYML_SOFTMAX_S8_S16_H

#include "requantize.h"
#include "softmax_row.h"
#include "tinyml_kernel.h"

struct tinyml_softmax_s8_s16_params {
  int32_t rows;  /* product of all dimensions but the last; 1 or more */
  int32_t depth; /* length of the last dimension; 1 or more */
  int32_t count; /* exponentials in the table; 1 to 256 */
};

/* output = exp(scale * input) / sum, scale 1/65536, zero point -32768.
 *
 * exponentials: [count], see tinyml_softmax_exponential. */
TINYML_KERNEL void tinyml_softmax_s8_s16(const struct tinyml_softmax_s8_s16_params *params,
                                         const int8_t *input, const int32_t *exponentials,
                                         int16_t *output)
{
  for (int32_t r = 0; r < params->rows; ++r) {
    const struct tinyml_softmax_row row =
        tinyml_softmax_row(input, params->depth, exponentials, params->count);
    const int32_t exponent = row.bits + 15; /* 15 to 27 */
    for (int32_t i = 0; i < params->depth; ++i) {
      const int32_t exponential =
          tinyml_softmax_exponential(exponentials, params->count, row.max, input[i]);
      const int32_t product = tinyml_high_mul(row.reciprocal, exponential);
      const int32_t scaled = tinyml_rounding_shift_right(product, exponent);
      output[i] = (int16_t)tinyml_min(scaled + INT16_MIN, INT16_MAX);
    }
    input += params->depth;
    output += params->depth;
  }
}

#endif
