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
};

/* All layers share this function.
 *
 * input: [rows, input_c].
 * weights: [output_c / 4 rounded up, input_c, 4]; anything where there is no output.
 * bias: [output_c rounded up to a multiple of 4], with the zero point folded in.
 * output: [rows, output_c]. */
TINYML_SHARED void
tinyml_fully_connected_s8_bytes(const struct tinyml_fully_connected_s8_bytes_params *params,
                                const int8_t *input, const uint8_t *weights, const int32_t *bias,
                                int8_t *output)
{
  const struct tinyml_fully_connected_rows *const all = &params->all;
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
      for (int32_t i = 0; i < left; ++i) {
        const uint32_t sum = (uint32_t)values[i] + (uint32_t)bias[c + i];
        *output++ = tinyml_row_output(all, (int32_t)(sum << 8));
      }
    }
    input += all->input_c;
  }
}

#endif
