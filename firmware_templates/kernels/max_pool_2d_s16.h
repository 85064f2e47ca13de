/* MAX_POOL_2D on int16; input and output have the same quantization. */
#ifndef TINYML_MAX_POOL_2D_S16_H
#define TINYML_MAX_POOL_2D_S16_H

#include "tinyml_kernel.h"
#include "window.h"

struct tinyml_max_pool_2d_s16_params {
  int32_t batches; /* 1 and above, as all sizes */
  int32_t input_h;
  int32_t input_w;
  int32_t channels;
  int32_t filter_h;
  int32_t filter_w;
  int32_t output_h;
  int32_t output_w;
  int32_t stride_h;
  int32_t stride_w;
  int32_t pad_h;          /* rows of padding above, 0 and above */
  int32_t pad_w;          /* columns of padding on the left, 0 and above */
  int32_t activation_min; /* -32768 to 32767 */
  int32_t activation_max; /* -32768 to 32767 */
};

/* The largest of rows x columns elements of one channel. */
TINYML_KERNEL int32_t
tinyml_max_pool_2d_s16_window(const struct tinyml_max_pool_2d_s16_params *params,
                              const int16_t *input, int32_t rows, int32_t columns)
{
  int32_t largest = INT16_MIN;
  for (int32_t row = 0; row < rows; ++row) {
    const int16_t *in = input + row * params->input_w * params->channels;
    for (int32_t column = 0; column < columns; ++column) {
      largest = tinyml_max(largest, *in);
      in += params->channels;
    }
  }
  return largest;
}

/* input: [batches, input_h, input_w, channels].
 * output: [batches, output_h, output_w, channels]. */
TINYML_KERNEL void tinyml_max_pool_2d_s16(const struct tinyml_max_pool_2d_s16_params *params,
                                          const int16_t *input, int16_t *output)
{
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    for (int32_t out_y = 0; out_y < params->output_h; ++out_y) {
      const int32_t y = out_y * params->stride_h - params->pad_h;
      const struct tinyml_taps rows = tinyml_taps_inside(y, params->input_h, params->filter_h, 1);
      for (int32_t out_x = 0; out_x < params->output_w; ++out_x) {
        const int32_t x = out_x * params->stride_w - params->pad_w;
        const struct tinyml_taps columns =
            tinyml_taps_inside(x, params->input_w, params->filter_w, 1);
        const int16_t *first =
            input + ((y + rows.begin) * params->input_w + x + columns.begin) * params->channels;
        for (int32_t c = 0; c < params->channels; ++c) {
          const int32_t largest = tinyml_max_pool_2d_s16_window(
              params, first + c, rows.end - rows.begin, columns.end - columns.begin);
          *output++ =
              (int16_t)tinyml_clamp(largest, params->activation_min, params->activation_max);
        }
      }
    }
    input += params->input_h * params->input_w * params->channels;
  }
}

#endif
