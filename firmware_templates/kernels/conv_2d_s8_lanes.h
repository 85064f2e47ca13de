/* CONV_2D on int8 for cores with long multiplication but no DSP instructions:
 * copies patches, then multiplies them as patches_lanes_s8.h tells. */
#ifndef TINYML_CONV_2D_S8_LANES_H
#define TINYML_CONV_2D_S8_LANES_H

#include "patches_lanes_s8.h"
#include "tinyml_kernel.h"

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
  int32_t requantization; /* TINYML_REQUANTIZE_SHORT or another */
  struct tinyml_patches_params patches;
};

/* Bytes of a patch: `flip` differs between lanes. */
TINYML_SHARED int8_t *tinyml_patch_lane_copy(int8_t *lane, const int8_t *bytes, int32_t count,
                                             int32_t flip)
{
  return tinyml_lane_copy(lane, TINYML_LANE_VALUE, bytes, 1, count, flip);
}

/* Copies one run of consecutive taps, padding where they lie outside of the
 * input. */
TINYML_KERNEL int8_t *tinyml_lane_run(const struct tinyml_conv_2d_s8_lanes_params *params,
                                      const int8_t *input, int32_t y, int32_t x, int32_t taps,
                                      int8_t *lane, int32_t flip)
{
  const int32_t padding = params->padding ^ flip;
  const int32_t begin = tinyml_max(0, -x);
  const int32_t end = tinyml_min(taps, params->input_w - x);
  if (y < 0 || y >= params->input_h || begin >= end) {
    return tinyml_lane_fill(lane, TINYML_LANE_VALUE, padding, taps * params->input_c);
  }
  const int8_t *from = input + (y * params->input_w + x + begin) * params->input_c;
  lane = tinyml_lane_fill(lane, TINYML_LANE_VALUE, padding, begin * params->input_c);
  lane = tinyml_patch_lane_copy(lane, from, (end - begin) * params->input_c, flip);
  return tinyml_lane_fill(lane, TINYML_LANE_VALUE, padding, (taps - end) * params->input_c);
}

/* Copies the patch whose first tap is at y, x. */
TINYML_KERNEL void tinyml_lane_patch(const struct tinyml_conv_2d_s8_lanes_params *params,
                                     const int8_t *input, int32_t y, int32_t x, int8_t *lane,
                                     int32_t flip)
{
  const int32_t taps = params->dilation_w == 1 ? params->filter_w : 1;
  for (int32_t row = 0; row < params->filter_h; ++row) {
    for (int32_t column = 0; column < params->filter_w; column += taps) {
      lane = tinyml_lane_run(params, input, y + row * params->dilation_h,
                             x + column * params->dilation_w, taps, lane, flip);
    }
  }
}

TINYML_KERNEL void tinyml_multiply_lanes(const struct tinyml_conv_2d_s8_lanes_params *params,
                                         const int32_t *patches, const int32_t *filters,
                                         int8_t *output, struct tinyml_lane_places places)
{
  if (params->requantization == TINYML_REQUANTIZE_SHORT) {
    tinyml_lane_patches_short(&params->patches, patches, filters, output, places);
  } else {
    tinyml_lane_patches_other(&params->patches, params->requantization, patches, filters, output,
                              places);
  }
}

/* input: [batches, input_h, input_w, input_c].
 * filters: as patches_lanes_s8.h has them, values in the model's order, then
 * zeros. scratch: [steps, 4, 2] words, aligned to 4. output: [batches,
 * output_h, output_w, output_c]. */
TINYML_KERNEL void tinyml_conv_2d_s8_lanes(const struct tinyml_conv_2d_s8_lanes_params *params,
                                           const int8_t *input, const int32_t *filters,
                                           void *scratch, int8_t *output)
{
  const int32_t output_c = params->patches.output_c;
  const struct tinyml_lane_places all = {output_c, 2 * output_c, 3 * output_c};
  int32_t filled = 0;
  memset(scratch, 0, (size_t)(params->patches.steps * 4 * TINYML_LANE_VALUE));
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    for (int32_t out_y = 0; out_y < params->output_h; ++out_y) {
      const int32_t y = out_y * params->stride_h - params->pad_h;
      for (int32_t out_x = 0; out_x < params->output_w; ++out_x) {
        const int32_t x = out_x * params->stride_w - params->pad_w;
        const int32_t upper = filled % 2;
        tinyml_lane_patch(params, input, y, x,
                          (int8_t *)scratch + filled / 2 * 4 + upper * TINYML_LANE_UPPER_BYTE,
                          upper != 0 ? 0 : TINYML_LANE_FLIP);
        if (++filled == TINYML_LANE_PATCHES) {
          tinyml_multiply_lanes(params, scratch, filters, output, all);
          output += TINYML_LANE_PATCHES * output_c;
          filled = 0;
        }
      }
    }
    input += params->input_h * params->input_w * params->input_c;
  }
  if (filled > 0) {
    const struct tinyml_lane_places some = {
        .at_1 = filled > 1 ? output_c : 0,
        .at_2 = filled > 2 ? 2 * output_c : 0,
        .at_3 = 0,
    };
    tinyml_multiply_lanes(params, scratch, filters, output, some);
  }
}

#endif
