/* FULLY_CONNECTED on int8 for cores whose multiplication has 32 bits, four outputs at a time.
 *
 * Weights are unsigned bytes, 128 more than they are: such bytes a Cortex-M0 loads in one
 * instruction. What that adds to all sums is the same, 128 times the sum of the inputs. */
#ifndef TINYML_FULLY_CONNECTED_S8_BYTES_H
#define TINYML_FULLY_CONNECTED_S8_BYTES_H

#include "byte_products.h"
#include "fully_connected_rows.h"
#include "tinyml_kernel.h"

struct tinyml_fully_connected_s8_bytes_params {
  struct tinyml_fully_connected_rows all;
  int32_t by_output; /* 1: outputs have constants of their own, not those of `all` */
};

TINYML_KERNEL void tinyml_row_bytes_outputs(const struct tinyml_fully_connected_rows *all,
                                            const int8_t *input, const uint8_t *weights,
                                            const int32_t *constants, int8_t *output,
                                            int32_t by_output)
{
  for (int32_t row = 0; row < all->rows; ++row) {
    const int32_t more = -128 * tinyml_row_sum(all, input);
    const uint8_t *bytes = weights;
    for (int32_t c = 0; c < all->output_c; c += 4) {
      const int32_t fours = all->input_c & -4;
      struct tinyml_four_sums sums = {more, more, more, more};
      sums = tinyml_sums_of_fours(sums, input, bytes, fours);
      bytes += 4 * fours;
      for (int32_t i = fours; i < all->input_c; ++i) {
        sums = tinyml_four_products(sums, input[i], bytes, 1);
        bytes += 4;
      }
      const int32_t values[4] = {sums.s0, sums.s1, sums.s2, sums.s3};
      const int32_t left = tinyml_min(all->output_c - c, 4);
      const int32_t *four = tinyml_row_constants(constants, c, by_output);
      for (int32_t i = 0; i < left; ++i) {
        const uint32_t sum = (uint32_t)values[i] + (uint32_t)four[i];
        *output++ = tinyml_row_output(all, four, i, (int32_t)(sum << 8), by_output);
      }
    }
    input += all->input_c;
  }
}

/* All layers share this function. */
TINYML_SHARED void tinyml_row_bytes_alike(const struct tinyml_fully_connected_rows *params,
                                          const int8_t *input, const uint8_t *weights,
                                          const int32_t *constants, int8_t *output)
{
  tinyml_row_bytes_outputs(params, input, weights, constants, output, 0);
}

/* All layers with constants by output share this one. */
TINYML_SHARED void tinyml_row_bytes_by_output(const struct tinyml_fully_connected_rows *params,
                                              const int8_t *input, const uint8_t *weights,
                                              const int32_t *constants, int8_t *output)
{
  tinyml_row_bytes_outputs(params, input, weights, constants, output, 1);
}

/* input: [rows, input_c].
 * weights: [output_c / 4 rounded up, input_c, 4]; anything where there is no output.
 * constants: of [output_c / 4 rounded up], see tinyml_row_constants.
 * output: [rows, output_c]. */
TINYML_KERNEL void
tinyml_fully_connected_s8_bytes(const struct tinyml_fully_connected_s8_bytes_params *params,
                                const int8_t *input, const uint8_t *weights,
                                const int32_t *constants, int8_t *output)
{
  if (params->by_output != 0) {
    tinyml_row_bytes_by_output(&params->all, input, weights, constants, output);
  } else {
    tinyml_row_bytes_alike(&params->all, input, weights, constants, output);
  }
}

#endif
