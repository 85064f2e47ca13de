/* FULLY_CONNECTED on int8 with 4-bit weights and one requantization factor for all outputs. */
#ifndef TINYML_FULLY_CONNECTED_S4_H
#define TINYML_FULLY_CONNECTED_S4_H

#include "dot_s4.h"
#include "requantize.h"
#include "tinyml_kernel.h"

struct tinyml_fully_connected_s4_params {
  int32_t rows;           /* independent input vectors, 1 and above */
  int32_t input_c;        /* length of an input vector, 1 and above */
  int32_t output_c;       /* length of an output vector, 1 and above */
  int32_t multiplier;     /* as tinyml_requantize takes it */
  int32_t shift;          /* as tinyml_requantize takes it */
  int32_t input_offset;   /* minus the input's zero point: -127 to 128 */
  int32_t weights_offset; /* minus the weights' zero point: -7 to 8 */
  int32_t output_offset;  /* the output's zero point: -128 to 127 */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

/* The sum of (input[i] + input_offset) over an input vector, modulo 2^32. */
TINYML_KERNEL uint32_t tinyml_fully_connected_s4_input_sum(
    const struct tinyml_fully_connected_s4_params *params, const int8_t *input)
{
  uint32_t sum = 0;
  for (int32_t i = 0; i < params->input_c; ++i) {
    sum += (uint32_t)(input[i] + params->input_offset);
  }
  return sum;
}

/* input: [rows, input_c].
 * weights: [output_c, input_c] two a byte.
 * bias: [output_c], or NULL.
 * output: [rows, output_c]. */
TINYML_KERNEL void tinyml_fully_connected_s4(const struct tinyml_fully_connected_s4_params *params,
                                             const int8_t *input, const uint8_t *weights,
                                             const int32_t *bias, int8_t *output)
{
  for (int32_t row = 0; row < params->rows; ++row) {
    /* sum(x * (w + offset)) = sum(x * w) + offset * sum(x), and the last term is the same for
     * every output. */
    uint32_t start = 0;
    if (params->weights_offset != 0) {
      start = (uint32_t)params->weights_offset * tinyml_fully_connected_s4_input_sum(params, input);
    }
    for (int32_t c = 0; c < params->output_c; ++c) {
      const uint32_t sum = tinyml_dot_s4(input, params->input_offset, weights, c * params->input_c,
                                         params->input_c, start);
      const int32_t accumulator = (int32_t)(sum + (bias != NULL ? (uint32_t)bias[c] : 0u));
      *output++ = tinyml_requantize_s8(accumulator, params->multiplier, params->shift,
                                       params->output_offset, params->activation_min,
                                       params->activation_max);
    }
    input += params->input_c;
  }
}

#endif
