/* CONV_2D on int16 with 8-bit weights for cores with DSP instructions, where 32-bit sums suffice.
 *
 * Copies two patches, then multiplies them with two filters at a time: four loads and four
 * instructions that unpack weights serve 16 products, which take 8 SMLAD. */
#ifndef TINYML_CONV_2D_S16_PAIRS_H
#define TINYML_CONV_2D_S16_PAIRS_H

#include "dot_s16.h"
#include "dsp.h"
#include "requantize_s16.h"
#include "tinyml_kernel.h"
#include "window.h"

struct tinyml_conv_2d_s16_pairs_params {
  int32_t batches; /* 1 and above, as all sizes */
  int32_t input_h;
  int32_t input_w;
  int32_t input_c;
  int32_t filter_h;
  int32_t filter_w;
  int32_t output_h;
  int32_t output_w;
  int32_t output_c;
  int32_t stride_h;
  int32_t stride_w;
  int32_t dilation_h;
  int32_t dilation_w;
  int32_t pad_h; /* rows of padding above, 0 and above */
  int32_t pad_w; /* columns of padding on the left, 0 and above */
  int32_t steps; /* of four values each: those of a filter, rounded up */
  struct tinyml_sums_s16 sums;
};

/* Sums of two patches with two filters. */
struct tinyml_pairs_s16 {
  int32_t s00; /* patch 0, filter 0 */
  int32_t s10; /* patch 1, filter 0 */
  int32_t s01;
  int32_t s11;
};

/* Copies the patch whose first tap is at y, x; what lies outside the input is 0, and so is what
 * fills the last step. */
TINYML_KERNEL void tinyml_copy_patch_s16(const struct tinyml_conv_2d_s16_pairs_params *params,
                                         const int16_t *input, int32_t y, int32_t x, int16_t *patch)
{
  const int32_t channels = params->input_c;
  const size_t tap = (size_t)channels * sizeof *patch;
  const struct tinyml_taps rows =
      tinyml_taps_inside(y, params->input_h, params->filter_h, params->dilation_h);
  const struct tinyml_taps columns =
      tinyml_taps_inside(x, params->input_w, params->filter_w, params->dilation_w);
  const int32_t height = rows.end - rows.begin;
  const int32_t width = columns.end - columns.begin;
  if (height != params->filter_h || width != params->filter_w ||
      params->steps * 4 != height * width * channels) {
    memset(patch, 0, (size_t)params->steps * 4 * sizeof *patch);
  }
  for (int32_t row = rows.begin; row < rows.end; ++row) {
    const int32_t in_y = y + row * params->dilation_h;
    const int32_t in_x = x + columns.begin * params->dilation_w;
    const int16_t *in = input + (in_y * params->input_w + in_x) * channels;
    int16_t *to = patch + (row * params->filter_w + columns.begin) * channels;
    if (params->dilation_w == 1 && width > 0) {
      memcpy(to, in, (size_t)width * tap);
      continue;
    }
    for (int32_t i = 0; i < width; ++i) {
      memcpy(to + i * channels, in + i * params->dilation_w * channels, tap);
    }
  }
}

/* Adds all products of two patches with two filters.
 *
 * filters: [steps, 2] words; the bytes of each are the weights 0, 2, 1 and 3 of a step. */
TINYML_KERNEL struct tinyml_pairs_s16 tinyml_add_pairs_s16(struct tinyml_pairs_s16 sums,
                                                           const int16_t *patch_0,
                                                           const int16_t *patch_1,
                                                           const int32_t *filters, int32_t steps)
{
  for (int32_t step = 0; step < steps; ++step) {
    const int32_t first = filters[0], second = filters[1];
    const int32_t low_0 = tinyml_load_pair(patch_0), high_0 = tinyml_load_pair(patch_0 + 2);
    const int32_t low_1 = tinyml_load_pair(patch_1), high_1 = tinyml_load_pair(patch_1 + 2);
    const int32_t first_low = tinyml_sxtb16(first), first_high = tinyml_sxtb16_odd(first);
    sums.s00 = tinyml_smlad(high_0, first_high, tinyml_smlad(low_0, first_low, sums.s00));
    sums.s10 = tinyml_smlad(high_1, first_high, tinyml_smlad(low_1, first_low, sums.s10));
    const int32_t second_low = tinyml_sxtb16(second), second_high = tinyml_sxtb16_odd(second);
    sums.s01 = tinyml_smlad(high_0, second_high, tinyml_smlad(low_0, second_low, sums.s01));
    sums.s11 = tinyml_smlad(high_1, second_high, tinyml_smlad(low_1, second_low, sums.s11));
    patch_0 += 4;
    patch_1 += 4;
    filters += 2;
  }
  return sums;
}

/* One output of every filter for two patches.
 *
 * at_1: distance of the outputs of patch 1; 0 drops it. */
TINYML_KERNEL void tinyml_multiply_pairs_s16(const struct tinyml_conv_2d_s16_pairs_params *params,
                                             const int16_t *patches, const int32_t *filters,
                                             const void *bias, const int32_t *multipliers,
                                             const int8_t *shifts, int16_t *output, int32_t at_1)
{
  const struct tinyml_sums_s16 *how = &params->sums;
  for (int32_t c = 0; c < params->output_c; c += 2) {
    const int32_t next = tinyml_min(c + 1, params->output_c - 1);
    const int32_t bias_0 = (int32_t)tinyml_bias_s16(how, bias, c);
    const int32_t bias_1 = (int32_t)tinyml_bias_s16(how, bias, next);
    struct tinyml_pairs_s16 sums = {bias_0, bias_0, bias_1, bias_1};
    sums = tinyml_add_pairs_s16(sums, patches, patches + 4 * params->steps, filters, params->steps);
    filters += 2 * params->steps;
    /* Patch 0 comes last: a distance of 0 drops the other. */
    output[at_1 + c] = tinyml_requantize_s16(how, sums.s10, multipliers[c], shifts[c]);
    output[c] = tinyml_requantize_s16(how, sums.s00, multipliers[c], shifts[c]);
    if (next > c) {
      output[at_1 + next] = tinyml_requantize_s16(how, sums.s11, multipliers[next], shifts[next]);
      output[next] = tinyml_requantize_s16(how, sums.s01, multipliers[next], shifts[next]);
    }
  }
}

/* input: [batches, input_h, input_w, input_c].
 * filters: [output_c / 2 rounded up, steps, 2] words, see tinyml_add_pairs_s16.
 * bias: [output_c] of int32_t or int64_t as params->sums says, or NULL.
 * multipliers, shifts: [output_c], as params->sums.rounding says.
 * scratch: [2, steps, 4] of int16_t.
 * output: [batches, output_h, output_w, output_c]. */
TINYML_KERNEL void tinyml_conv_2d_s16_pairs(const struct tinyml_conv_2d_s16_pairs_params *params,
                                            const int16_t *input, const int32_t *filters,
                                            const void *bias, const int32_t *multipliers,
                                            const int8_t *shifts, void *scratch, int16_t *output)
{
  const int32_t size = 4 * params->steps;
  int16_t *patches = scratch;
  int32_t filled = 0;
  memset(patches, 0, 2 * (size_t)size * sizeof *patches);
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    for (int32_t out_y = 0; out_y < params->output_h; ++out_y) {
      const int32_t y = out_y * params->stride_h - params->pad_h;
      for (int32_t out_x = 0; out_x < params->output_w; ++out_x) {
        const int32_t x = out_x * params->stride_w - params->pad_w;
        tinyml_copy_patch_s16(params, input, y, x, patches + filled * size);
        if (++filled == 2) {
          tinyml_multiply_pairs_s16(params, patches, filters, bias, multipliers, shifts, output,
                                    params->output_c);
          output += 2 * params->output_c;
          filled = 0;
        }
      }
    }
    input += params->input_h * params->input_w * params->input_c;
  }
  if (filled > 0) {
    tinyml_multiply_pairs_s16(params, patches, filters, bias, multipliers, shifts, output, 0);
  }
}

#endif
