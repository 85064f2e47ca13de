/* FULLY_CONNECTED on int8 for cores with vector instructions. */
#ifndef TINYML_FULLY_CONNECTED_S8_MVE_H
#define TINYML_FULLY_CONNECTED_S8_MVE_H

#include "mve.h"
#include "mve_requantize.h"
#include "tinyml_kernel.h"

struct tinyml_fully_connected_s8_mve_params {
  int32_t rows; /* input vectors; 1 and above, as all sizes */
  int32_t input_c;
  int32_t output_c;
  struct tinyml_mve_requantize_params requantize;
};

/* The sums of four outputs.
 *
 * weights: [steps, 4, 16]. */
TINYML_KERNEL void tinyml_mve_four_outputs(const int8_t *input, const int8_t *weights,
                                           int32_t steps, int32_t *sums)
{
  int32_t sum_0 = 0, sum_1 = 0, sum_2 = 0, sum_3 = 0;
  TINYML_MVE_UNROLL_4
  for (int32_t step = 0; step < steps; ++step) {
    const int8x16_t bytes = vldrbq_s8(input);
    sum_0 = vmladavaq_s8(sum_0, bytes, vldrbq_s8(weights));
    sum_1 = vmladavaq_s8(sum_1, bytes, vldrbq_s8(weights + 16));
    sum_2 = vmladavaq_s8(sum_2, bytes, vldrbq_s8(weights + 32));
    sum_3 = vmladavaq_s8(sum_3, bytes, vldrbq_s8(weights + 48));
    input += 16;
    weights += 64;
  }
  sums[0] = sum_0;
  sums[1] = sum_1;
  sums[2] = sum_2;
  sums[3] = sum_3;
}

/* input: [rows, input_c].
 * weights: [output_c / 4 rounded up, steps, 4, 16], input_c rounded up to whole steps of 16.
 * constants: see tinyml_mve_requantize_params.
 * scratch: 64 bytes, and one input vector of whole steps where input_c is no multiple of 16;
 *   aligned to 4.
 * output: [rows, output_c]. */
TINYML_KERNEL void
tinyml_fully_connected_s8_mve(const struct tinyml_fully_connected_s8_mve_params *params,
                              const int8_t *input, const int8_t *weights, const int32_t *constants,
                              void *scratch, int8_t *output)
{
  const int32_t input_c = params->input_c, steps = (input_c + 15) / 16;
  const int32_t size = tinyml_mve_constants_size(&params->requantize);
  int32_t *sums = scratch;
  int8_t *copy = (int8_t *)(sums + 16);
  for (int32_t row = 0; row < params->rows; ++row) {
    const int8_t *from = input;
    if (input_c % 16 != 0) {
      tinyml_mve_copy(copy, input, input_c);
      from = copy;
    }
    const int8_t *filters = weights;
    const int32_t *at = constants;
    for (int32_t left = params->output_c; left > 0; left -= 16) {
      const int32_t count = tinyml_min(left, 16);
      for (int32_t i = 0; i < count; i += 4) {
        tinyml_mve_four_outputs(from, filters, steps, sums + i);
        filters += steps * 64;
      }
      tinyml_mve_requantize_sums(&params->requantize, sums, at, count, output);
      output += count;
      at += size;
    }
    input += input_c;
  }
}

#endif
