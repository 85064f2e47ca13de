/* FULLY_CONNECTED on int8 for cores with long multiplication but no DSP instructions: two products
 * from one multiplication, four outputs at a time.
 *
 * A word has two weights of two outputs: w00 + 128, w11, w01 + 128, w10, where w01 is that of the
 * first output for the second input. Its outer bytes are (w00 + 128) + 2^24 w10, and after a
 * rotation by 16 bits (w01 + 128) + 2^24 w11: so one AND makes the factor of two products, as
 * lane_products.h has them with inputs in place of weights. */
#ifndef TINYML_FULLY_CONNECTED_S8_LANES_H
#define TINYML_FULLY_CONNECTED_S8_LANES_H

#include "fully_connected_rows.h"
#include "lane_products.h"
#include "tinyml_kernel.h"

struct tinyml_fully_connected_s8_lanes_params {
  struct tinyml_fully_connected_rows all;
  int32_t by_output; /* 1: outputs have constants of their own, not those of `all` */
};

/* Sums of outputs 0 and 1, and of outputs 2 and 3. */
struct tinyml_row_lanes {
  int64_t first;
  int64_t second;
};

TINYML_KERNEL int32_t tinyml_outer_bytes(uint32_t word)
{
  return (int32_t)(word & UINT32_C(0xFF0000FF));
}

TINYML_KERNEL int32_t tinyml_inner_bytes(uint32_t word)
{
  return tinyml_outer_bytes(word >> 16 | word << 16);
}

/* Adds the products of two inputs. */
TINYML_KERNEL struct tinyml_row_lanes tinyml_row_products(struct tinyml_row_lanes sums, int32_t x0,
                                                          int32_t x1, const int32_t *weights)
{
  const uint32_t first = (uint32_t)weights[0];
  const uint32_t second = (uint32_t)weights[1];
  sums.first = tinyml_lane_product(sums.first, x0, tinyml_outer_bytes(first));
  sums.first = tinyml_lane_product(sums.first, x1, tinyml_inner_bytes(first));
  sums.second = tinyml_lane_product(sums.second, x0, tinyml_outer_bytes(second));
  sums.second = tinyml_lane_product(sums.second, x1, tinyml_inner_bytes(second));
  return sums;
}

/* What two sums begin with. */
TINYML_KERNEL int64_t tinyml_row_begin(int32_t lower, int32_t upper, int32_t both)
{
  return (int64_t)upper * (1 << 24) + lower + both;
}

TINYML_KERNEL void tinyml_row_lanes_outputs(const struct tinyml_fully_connected_rows *params,
                                            const int8_t *input, const int32_t *weights,
                                            const int32_t *constants, int8_t *output,
                                            int32_t by_output)
{
  const struct tinyml_fully_connected_rows local = *params;
  for (int32_t row = 0; row < local.rows; ++row) {
    const int32_t both = (1 << 23) - TINYML_LANE_FLIP * tinyml_row_sum(&local, input);
    const int32_t *words = weights;
    for (int32_t c = 0; c < local.output_c; c += 4) {
      const int32_t *four = tinyml_row_constants(constants, c, by_output);
      struct tinyml_row_lanes sums = {
          tinyml_row_begin(four[0], four[1], both),
          tinyml_row_begin(four[2], four[3], both),
      };
      const int8_t *x = input;
      int32_t rest = local.input_c;
      /* Eight at a time, as compilers leave loops rolled at -O2. */
      for (; rest > 7; rest -= 8) {
        sums = tinyml_row_products(sums, x[0], x[1], words);
        sums = tinyml_row_products(sums, x[2], x[3], words + 2);
        sums = tinyml_row_products(sums, x[4], x[5], words + 4);
        sums = tinyml_row_products(sums, x[6], x[7], words + 6);
        x += 8;
        words += 8;
      }
      for (; rest > 0; rest -= 2) {
        sums = tinyml_row_products(sums, x[0], rest > 1 ? x[1] : 0, words);
        x += 2;
        words += 2;
      }
      const int32_t left = local.output_c - c;
      output[0] = tinyml_row_output(&local, four, 0, tinyml_lower_lane(sums.first), by_output);
      if (left > 1) {
        output[1] = tinyml_row_output(&local, four, 1, tinyml_upper_lane(sums.first), by_output);
      }
      if (left > 2) {
        output[2] = tinyml_row_output(&local, four, 2, tinyml_lower_lane(sums.second), by_output);
      }
      if (left > 3) {
        output[3] = tinyml_row_output(&local, four, 3, tinyml_upper_lane(sums.second), by_output);
      }
      output += tinyml_min(left, 4);
    }
    input += local.input_c;
  }
}

/* All layers share this function. */
TINYML_SHARED void tinyml_row_lanes_alike(const struct tinyml_fully_connected_rows *params,
                                          const int8_t *input, const int32_t *weights,
                                          const int32_t *constants, int8_t *output)
{
  tinyml_row_lanes_outputs(params, input, weights, constants, output, 0);
}

/* All layers with constants by output share this one. */
TINYML_SHARED void tinyml_row_lanes_by_output(const struct tinyml_fully_connected_rows *params,
                                              const int8_t *input, const int32_t *weights,
                                              const int32_t *constants, int8_t *output)
{
  tinyml_row_lanes_outputs(params, input, weights, constants, output, 1);
}

/* input: [rows, input_c].
 * weights: [output_c / 4 rounded up, input_c / 2 rounded up, 2] words; zeros (128 in lower lanes)
 *   where there is no output and no input.
 * constants: of [output_c / 4 rounded up], see tinyml_row_constants.
 * output: [rows, output_c]. */
TINYML_KERNEL void
tinyml_fully_connected_s8_lanes(const struct tinyml_fully_connected_s8_lanes_params *params,
                                const int8_t *input, const int32_t *weights,
                                const int32_t *constants, int8_t *output)
{
  if (params->by_output != 0) {
    tinyml_row_lanes_by_output(&params->all, input, weights, constants, output);
  } else {
    tinyml_row_lanes_alike(&params->all, input, weights, constants, output);
  }
}

#endif
