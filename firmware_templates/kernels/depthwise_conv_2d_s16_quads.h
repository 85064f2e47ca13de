/* DEPTHWISE_CONV_2D on int16 with 8-bit weights for cores with DSP instructions, where 32-bit sums
 * suffice: four channels at a time. Any stride, padding and dilation. */
#ifndef TINYML_DEPTHWISE_CONV_2D_S16_QUADS_H
#define TINYML_DEPTHWISE_CONV_2D_S16_QUADS_H

#include "dot_s16.h"
#include "dsp.h"
#include "requantize_s16.h"
#include "tinyml_kernel.h"
#include "window.h"

struct tinyml_depthwise_conv_2d_s16_quads_params {
  int32_t batches; /* 1 and above, as all sizes */
  int32_t input_h;
  int32_t input_w;
  int32_t input_c; /* of the output too; a multiple of 4 */
  int32_t filter_h;
  int32_t filter_w;
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

/* Sums of four channels. */
struct tinyml_quad_s16 {
  int32_t s0;
  int32_t s1;
  int32_t s2;
  int32_t s3;
};

/* Adds the products of one output position; arguments as tinyml_depthwise_conv_2d_s16_window has
 * them, the bytes of each word of weights for channels 0, 2, 1 and 3. */
TINYML_KERNEL struct tinyml_quad_s16
tinyml_quad_window_s16(const struct tinyml_depthwise_conv_2d_s16_quads_params *params,
                       const int16_t *input, const int8_t *filter, struct tinyml_taps rows,
                       struct tinyml_taps columns, int32_t y, int32_t x,
                       struct tinyml_quad_s16 sums)
{
  for (int32_t row = rows.begin; row < rows.end; ++row) {
    const int32_t in_y = y + row * params->dilation_h;
    const int32_t in_x = x + columns.begin * params->dilation_w;
    const int16_t *in = input + (in_y * params->input_w + in_x) * params->input_c;
    const int8_t *tap = filter + (row * params->filter_w + columns.begin) * params->input_c;
    for (int32_t column = columns.begin; column < columns.end; ++column) {
      const int32_t word = tinyml_load_word(tap);
      const int32_t low = tinyml_load_pair(in), high = tinyml_load_pair(in + 2);
      const int32_t weights_01 = tinyml_sxtb16(word), weights_23 = tinyml_sxtb16_odd(word);
      sums.s0 = tinyml_smlabb(low, weights_01, sums.s0);
      sums.s1 = tinyml_smlatt(low, weights_01, sums.s1);
      sums.s2 = tinyml_smlabb(high, weights_23, sums.s2);
      sums.s3 = tinyml_smlatt(high, weights_23, sums.s3);
      in += params->dilation_w * params->input_c;
      tap += params->input_c;
    }
  }
  return sums;
}

/* input: [batches, input_h, input_w, input_c].
 * weights: [filter_h, filter_w, input_c], zero point 0, of each four channels those of 0, 2, 1, 3.
 * bias: [input_c] of int32_t or int64_t as params->sums says, or NULL.
 * multipliers, shifts: [input_c], as params->sums.rounding says.
 * output: [batches, output_h, output_w, input_c]. */
TINYML_KERNEL void
tinyml_depthwise_conv_2d_s16_quads(const struct tinyml_depthwise_conv_2d_s16_quads_params *params,
                                   const int16_t *input, const int8_t *weights, const void *bias,
                                   const int32_t *multipliers, const int8_t *shifts,
                                   int16_t *output)
{
  const struct tinyml_sums_s16 *how = &params->sums;
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    for (int32_t out_y = 0; out_y < params->output_h; ++out_y) {
      const int32_t y = out_y * params->stride_h - params->pad_h;
      const struct tinyml_taps rows =
          tinyml_taps_inside(y, params->input_h, params->filter_h, params->dilation_h);
      for (int32_t out_x = 0; out_x < params->output_w; ++out_x) {
        const int32_t x = out_x * params->stride_w - params->pad_w;
        const struct tinyml_taps columns =
            tinyml_taps_inside(x, params->input_w, params->filter_w, params->dilation_w);
        for (int32_t c = 0; c < params->input_c; c += 4) {
          struct tinyml_quad_s16 sums = {
              .s0 = (int32_t)tinyml_bias_s16(how, bias, c),
              .s1 = (int32_t)tinyml_bias_s16(how, bias, c + 1),
              .s2 = (int32_t)tinyml_bias_s16(how, bias, c + 2),
              .s3 = (int32_t)tinyml_bias_s16(how, bias, c + 3),
          };
          sums = tinyml_quad_window_s16(params, input + c, weights + c, rows, columns, y, x, sums);
          output[0] = tinyml_requantize_s16(how, sums.s0, multipliers[c], shifts[c]);
          output[1] = tinyml_requantize_s16(how, sums.s1, multipliers[c + 1], shifts[c + 1]);
          output[2] = tinyml_requantize_s16(how, sums.s2, multipliers[c + 2], shifts[c + 2]);
          output[3] = tinyml_requantize_s16(how, sums.s3, multipliers[c + 3], shifts[c + 3]);
          output += 4;
        }
      }
    }
    input += params->input_h * params->input_w * params->input_c;
  }
}

#endif
