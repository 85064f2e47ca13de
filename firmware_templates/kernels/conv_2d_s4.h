/* CONV_2D on int8 with 4-bit weights: any stride, padding, dilation and number of groups. */
#ifndef TINYML_CONV_2D_S4_H
#define TINYML_CONV_2D_S4_H

#include "dot_s4.h"
#include "requantize.h"
#include "tinyml_kernel.h"
#include "window.h"

struct tinyml_conv_2d_s4_params {
  int32_t batches; /* 1 and above, as all sizes */
  int32_t input_h;
  int32_t input_w;
  int32_t input_c; /* a multiple of filter_c: input_c / filter_c groups */
  int32_t filter_h;
  int32_t filter_w;
  int32_t filter_c; /* input channels that one filter reads */
  int32_t output_h;
  int32_t output_w;
  int32_t output_c; /* a multiple of the number of groups */
  int32_t stride_h;
  int32_t stride_w;
  int32_t dilation_h;
  int32_t dilation_w;
  int32_t pad_h;          /* rows of padding above, 0 and above */
  int32_t pad_w;          /* columns of padding on the left, 0 and above */
  int32_t input_offset;   /* minus the input's zero point: -127 to 128 */
  int32_t output_offset;  /* the output's zero point: -128 to 127 */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

/* One output value before requantization, without bias.
 *
 * input: [input_h, input_w, input_c] from the filter's first channel on.
 * filter: where the filter [filter_h, filter_w, filter_c] begins, counted in weights.
 * rows, columns: taps inside the input; the others meet padding, which counts as zero.
 * y, x: input position of the window's first tap. */
TINYML_KERNEL uint32_t tinyml_conv_2d_s4_window(const struct tinyml_conv_2d_s4_params *params,
                                                const int8_t *input, const uint8_t *weights,
                                                int32_t filter, struct tinyml_taps rows,
                                                struct tinyml_taps columns, int32_t y, int32_t x)
{
  uint32_t sum = 0;
  for (int32_t row = rows.begin; row < rows.end; ++row) {
    const int32_t in_y = y + row * params->dilation_h;
    const int32_t in_x = x + columns.begin * params->dilation_w;
    const int8_t *in = input + (in_y * params->input_w + in_x) * params->input_c;
    const int32_t taps = filter + (row * params->filter_w + columns.begin) * params->filter_c;
    const int32_t count = columns.end - columns.begin;
    if (params->dilation_w == 1 && params->filter_c == params->input_c) {
      /* Neighbouring taps meet neighbouring input: the whole row is one run. */
      sum = tinyml_dot_s4(in, params->input_offset, weights, taps, count * params->filter_c, sum);
      continue;
    }
    for (int32_t i = 0; i < count; ++i) {
      sum = tinyml_dot_s4(in + i * params->dilation_w * params->input_c, params->input_offset,
                          weights, taps + i * params->filter_c, params->filter_c, sum);
    }
  }
  return sum;
}

/* input: [batches, input_h, input_w, input_c].
 * weights: [output_c, filter_h, filter_w, filter_c] two a byte, zero point 0.
 * bias: [output_c], or NULL.
 * multipliers, shifts: [output_c], as tinyml_requantize takes them.
 * output: [batches, output_h, output_w, output_c]. */
TINYML_KERNEL void tinyml_conv_2d_s4(const struct tinyml_conv_2d_s4_params *params,
                                     const int8_t *input, const uint8_t *weights,
                                     const int32_t *bias, const int32_t *multipliers,
                                     const int8_t *shifts, int8_t *output)
{
  const int32_t filter_size = params->filter_h * params->filter_w * params->filter_c;
  const int32_t groups = params->input_c / params->filter_c;
  const int32_t filters_per_group = params->output_c / groups;
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    for (int32_t out_y = 0; out_y < params->output_h; ++out_y) {
      const int32_t y = out_y * params->stride_h - params->pad_h;
      const struct tinyml_taps rows =
          tinyml_taps_inside(y, params->input_h, params->filter_h, params->dilation_h);
      for (int32_t out_x = 0; out_x < params->output_w; ++out_x) {
        const int32_t x = out_x * params->stride_w - params->pad_w;
        const struct tinyml_taps columns =
            tinyml_taps_inside(x, params->input_w, params->filter_w, params->dilation_w);
        for (int32_t c = 0; c < params->output_c; ++c) {
          const int32_t first_channel = c / filters_per_group * params->filter_c;
          const uint32_t sum = tinyml_conv_2d_s4_window(params, input + first_channel, weights,
                                                        c * filter_size, rows, columns, y, x);
          const int32_t accumulator = (int32_t)(sum + (bias != NULL ? (uint32_t)bias[c] : 0u));
          *output++ =
              tinyml_requantize_s8(accumulator, multipliers[c], shifts[c], params->output_offset,
                                   params->activation_min, params->activation_max);
        }
      }
    }
    input += params->input_h * params->input_w * params->input_c;
  }
}

#endif
