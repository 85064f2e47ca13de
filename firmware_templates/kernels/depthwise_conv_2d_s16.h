/* DEPTHWISE_CONV_2D on int16 with 8-bit weights: any stride, padding, dilation and depth
 * multiplier. */
#ifndef TINYML_DEPTHWISE_CONV_2D_S16_H
#define TINYML_DEPTHWISE_CONV_2D_S16_H

#include "requantize_s16.h"
#include "tinyml_kernel.h"
#include "window.h"

struct tinyml_depthwise_conv_2d_s16_params {
  int32_t batches; /* 1 and above, as all sizes */
  int32_t input_h;
  int32_t input_w;
  int32_t input_c;
  int32_t filter_h;
  int32_t filter_w;
  int32_t depth_multiplier; /* output channels that one input channel makes */
  int32_t output_h;
  int32_t output_w;
  int32_t stride_h;
  int32_t stride_w;
  int32_t dilation_h;
  int32_t dilation_w;
  int32_t pad_h; /* rows of padding above, 0 and above */
  int32_t pad_w; /* columns of padding on the left, 0 and above */
  struct tinyml_sums_s16 sums;
};

/* sum + the products of one output value, in 64 bits or modulo 2^32.
 *
 * input: [input_h, input_w, input_c] from the channel on that is read.
 * filter: [filter_h, filter_w, input_c * depth_multiplier] from the output's channel on.
 * rows, columns: taps inside the input; the others meet padding, which counts as zero.
 * y, x: input position of the window's first tap. */
TINYML_KERNEL int64_t tinyml_depthwise_conv_2d_s16_window(
    const struct tinyml_depthwise_conv_2d_s16_params *params, const int16_t *input,
    const int8_t *filter, struct tinyml_taps rows, struct tinyml_taps columns, int32_t y, int32_t x,
    int64_t sum)
{
  const int32_t output_c = params->input_c * params->depth_multiplier;
  uint32_t narrow = (uint32_t)((uint64_t)sum & UINT32_MAX);
  for (int32_t row = rows.begin; row < rows.end; ++row) {
    const int32_t in_y = y + row * params->dilation_h;
    const int32_t in_x = x + columns.begin * params->dilation_w;
    const int16_t *in = input + (in_y * params->input_w + in_x) * params->input_c;
    const int8_t *tap = filter + (row * params->filter_w + columns.begin) * output_c;
    for (int32_t column = columns.begin; column < columns.end; ++column) {
      const int32_t product = (int32_t)*in * *tap;
      narrow += (uint32_t)product;
      sum += product;
      in += params->dilation_w * params->input_c;
      tap += output_c;
    }
  }
  return params->sums.wide != 0 ? sum : (int32_t)narrow;
}

/* input: [batches, input_h, input_w, input_c].
 * weights: [filter_h, filter_w, input_c * depth_multiplier], zero point 0.
 * bias: [input_c * depth_multiplier] of int32_t or int64_t as params->sums says, or NULL.
 * multipliers, shifts: [input_c * depth_multiplier], as params->sums.rounding says.
 * output: [batches, output_h, output_w, input_c * depth_multiplier]. */
TINYML_KERNEL void
tinyml_depthwise_conv_2d_s16(const struct tinyml_depthwise_conv_2d_s16_params *params,
                             const int16_t *input, const int8_t *weights, const void *bias,
                             const int32_t *multipliers, const int8_t *shifts, int16_t *output)
{
  const struct tinyml_sums_s16 *sums = &params->sums;
  const int32_t output_c = params->input_c * params->depth_multiplier;
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    for (int32_t out_y = 0; out_y < params->output_h; ++out_y) {
      const int32_t y = out_y * params->stride_h - params->pad_h;
      const struct tinyml_taps rows =
          tinyml_taps_inside(y, params->input_h, params->filter_h, params->dilation_h);
      for (int32_t out_x = 0; out_x < params->output_w; ++out_x) {
        const int32_t x = out_x * params->stride_w - params->pad_w;
        const struct tinyml_taps columns =
            tinyml_taps_inside(x, params->input_w, params->filter_w, params->dilation_w);
        for (int32_t c = 0; c < output_c; ++c) {
          const int64_t sum = tinyml_depthwise_conv_2d_s16_window(
              params, input + c / params->depth_multiplier, weights + c, rows, columns, y, x,
              tinyml_bias_s16(sums, bias, c));
          *output++ = tinyml_requantize_s16(sums, sum, multipliers[c], shifts[c]);
        }
      }
    }
    input += params->input_h * params->input_w * params->input_c;
  }
}

#endif
