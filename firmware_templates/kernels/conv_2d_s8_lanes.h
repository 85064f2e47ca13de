/* CONV_2D on int8 for cores without DSP instructions: copies four patches at a time, then
 * multiplies them as patches_lanes_s8.h tells, or patches_bytes_s8.h. */
#ifndef TINYML_CONV_2D_S8_LANES_H
#define TINYML_CONV_2D_S8_LANES_H

#include "patches_bytes_s8.h"
#include "patches_lanes_s8.h"
#include "tinyml_kernel.h"
#include "window_bytes.h"

struct tinyml_conv_2d_s8_lanes_params {
  int32_t batches; /* 1 and above, as all sizes */
  int32_t input_h;
  int32_t input_w;
  int32_t input_c;
  int32_t filter_h;
  int32_t filter_w;
  int32_t output_h;
  int32_t output_w;
  int32_t stride_h;
  int32_t stride_w;
  int32_t dilation_h;
  int32_t dilation_w;
  int32_t pad_h;          /* rows of padding above, 0 and above */
  int32_t pad_w;          /* columns of padding on the left, 0 and above */
  int32_t padding;        /* the value of padding: the input's zero point, -128 to 127 */
  int32_t lanes;          /* products of one multiplication: 2, see patches_lanes_s8.h, or 1 */
  int32_t requantization; /* TINYML_REQUANTIZE_SHORT or another */
  struct tinyml_patches_params patches;
};

/* Bytes of one value of all four patches. */
TINYML_KERNEL int32_t tinyml_lane_value(const struct tinyml_conv_2d_s8_lanes_params *params)
{
  return params->lanes > 1 ? 8 : 4;
}

/* Copies the patch whose first tap is at y, x; `number`: 0 to 3. */
TINYML_KERNEL void tinyml_lane_patch(const struct tinyml_conv_2d_s8_lanes_params *params,
                                     const int8_t *input, int32_t y, int32_t x, int32_t number,
                                     int8_t *patches)
{
  const struct tinyml_window window = {
      .input_h = params->input_h,
      .input_w = params->input_w,
      .input_c = params->input_c,
      .filter_h = params->filter_h,
      .filter_w = params->filter_w,
      .dilation_h = params->dilation_h,
      .dilation_w = params->dilation_w,
      .padding = params->padding,
  };
  const int32_t upper = params->lanes > 1 ? number % 2 : 0;
  const struct tinyml_byte_lane how = {
      .step = tinyml_lane_value(params),
      .flip = upper != 0 ? 0 : TINYML_LANE_FLIP,
  };
  const int32_t at = params->lanes > 1 ? number / 2 * 4 + upper * TINYML_LANE_UPPER_BYTE : number;
  tinyml_window_bytes(&window, input, y, x, patches + at, how);
}

TINYML_KERNEL void tinyml_multiply_lanes(const struct tinyml_conv_2d_s8_lanes_params *params,
                                         const void *patches, const int32_t *filters,
                                         int8_t *output, struct tinyml_patch_places places)
{
  const int32_t mode = params->requantization;
  if (params->lanes > 1 && mode == TINYML_REQUANTIZE_SHORT) {
    tinyml_lane_patches_short(&params->patches, patches, filters, output, places);
  } else if (params->lanes > 1) {
    tinyml_lane_patches_other(&params->patches, mode, patches, filters, output, places);
  } else if (mode == TINYML_REQUANTIZE_SHORT) {
    tinyml_byte_patches_short(&params->patches, patches, filters, output, places);
  } else {
    tinyml_byte_patches_other(&params->patches, mode, patches, filters, output, places);
  }
}

/* input: [batches, input_h, input_w, input_c].
 * filters: as patches_lanes_s8.h or patches_bytes_s8.h has them, values in the model's order, then
 *   zeros.
 * scratch: [steps * 4, 2] words, or one word each where `lanes` is 1; aligned to 4.
 * output: [batches, output_h, output_w, output_c]. */
TINYML_KERNEL void tinyml_conv_2d_s8_lanes(const struct tinyml_conv_2d_s8_lanes_params *params,
                                           const int8_t *input, const int32_t *filters,
                                           void *scratch, int8_t *output)
{
  const int32_t output_c = params->patches.output_c;
  const struct tinyml_patch_places all = {output_c, 2 * output_c, 3 * output_c};
  int32_t filled = 0;
  memset(scratch, 0, (size_t)(params->patches.steps * 4 * tinyml_lane_value(params)));
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    for (int32_t out_y = 0; out_y < params->output_h; ++out_y) {
      const int32_t y = out_y * params->stride_h - params->pad_h;
      for (int32_t out_x = 0; out_x < params->output_w; ++out_x) {
        const int32_t x = out_x * params->stride_w - params->pad_w;
        tinyml_lane_patch(params, input, y, x, filled, scratch);
        if (++filled == TINYML_PATCHES_TOGETHER) {
          tinyml_multiply_lanes(params, scratch, filters, output, all);
          output += TINYML_PATCHES_TOGETHER * output_c;
          filled = 0;
        }
      }
    }
    input += params->input_h * params->input_w * params->input_c;
  }
  if (filled > 0) {
    const struct tinyml_patch_places some = {
        .at_1 = filled > 1 ? output_c : 0,
        .at_2 = filled > 2 ? 2 * output_c : 0,
        .at_3 = 0,
    };
    tinyml_multiply_lanes(params, scratch, filters, output, some);
  }
}

#endif
