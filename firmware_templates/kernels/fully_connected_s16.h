/* FULLY_CONNECTED on int16 with 8-bit weights. */
#ifndef TINYML_FULLY_CONNECTED_S16_H
#define TINYML_FULLY_CONNECTED_S16_H

#include "dot_s16.h"
#include "requantize_s16.h"
#include "tinyml_kernel.h"

struct tinyml_fully_connected_s16_params {
  int32_t rows;        /* independent input vectors, 1 and above */
  int32_t input_c;     /* length of an input vector, 1 and above */
  int32_t output_c;    /* length of an output vector, 1 and above */
  int32_t per_channel; /* 1: one multiplier and shift for each output; 0: one for all */
  struct tinyml_sums_s16 sums;
};

/* input: [rows, input_c].
 * weights: [output_c, input_c], zero point 0.
 * bias: [output_c] of int32_t or int64_t as params->sums says, or NULL.
 * multipliers, shifts: [output_c] or [1], as params->sums.rounding says.
 * output: [rows, output_c]. */
TINYML_KERNEL void
tinyml_fully_connected_s16(const struct tinyml_fully_connected_s16_params *params,
                           const int16_t *input, const int8_t *weights, const void *bias,
                           const int32_t *multipliers, const int8_t *shifts, int16_t *output)
{
  const struct tinyml_sums_s16 *sums = &params->sums;
  for (int32_t row = 0; row < params->rows; ++row) {
    for (int32_t c = 0; c < params->output_c; ++c) {
      const int32_t factor = params->per_channel != 0 ? c : 0;
      const int64_t sum = tinyml_dot_s16(sums, input, weights + c * params->input_c,
                                         params->input_c, tinyml_bias_s16(sums, bias, c));
      *output++ = tinyml_requantize_s16(sums, sum, multipliers[factor], shifts[factor]);
    }
    input += params->input_c;
  }
}

#endif
