/* CONV_2D on int8 with 4-bit weights: copies patches, then multiplies them. */
#ifndef TINYML_CONV_2D_S4_PATCHES_H
#define TINYML_CONV_2D_S4_PATCHES_H

#include "conv_2d_s8_patches.h"
#include "patches_s4.h"
#include "tinyml_kernel.h"

struct tinyml_conv_2d_s4_patches_params {
  struct tinyml_conv_2d_s8_patches_params convolution; /* patches are those of 8-bit weights */
};

/* Multiplies the patches with all filters.
 *
 * at_1, at_2: see struct tinyml_patch_work. */
TINYML_KERNEL void tinyml_multiply_patches_s4(const struct tinyml_conv_2d_s8_patches_params *params,
                                              const int32_t *patches, const int32_t *filters,
                                              int8_t *output, int32_t at_1, int32_t at_2)
{
  if (params->packed == 0) {
    tinyml_plain_patches_s4(&params->patches, params->requantization, (const int16_t *)patches,
                            filters, output, at_1, at_2);
    return;
  }
  struct tinyml_patch_work_s4 work = {
      .work =
          {
              .patches = patches,
              .end = patches + params->patches.steps * TINYML_PATCH_STRIDE,
              .filters = filters,
              .first_turn = tinyml_patch_first_turn_s4(params->patches.steps),
              .output = output,
              .at_1 = at_1,
              .at_2 = at_2,
              .output_end = output + params->patches.output_c,
          },
      .shift = params->patches.shift,
  };
  tinyml_take_off_s4(&work);
  if (params->requantization == TINYML_REQUANTIZE_SHORT) {
    tinyml_patches_short_s4(&work);
  } else if (params->requantization == TINYML_REQUANTIZE_SIGNED) {
    tinyml_patches_signed_s4(&params->patches, &work);
  } else if (params->requantization == TINYML_REQUANTIZE_CLAMPED) {
    tinyml_patches_clamped_s4(&params->patches, &work);
  } else {
    tinyml_patches_exact_s4(&params->patches, &work);
  }
}

/* A convolution of single pixels: three after another, the last two or one like three. */
TINYML_KERNEL void tinyml_conv_2d_s4_pixels(const struct tinyml_conv_2d_s8_patches_params *params,
                                            const int8_t *input, const int32_t *filters,
                                            int32_t *patches, int8_t *output)
{
  const int32_t input_c = params->input_c;
  const int32_t output_c = params->patches.output_c;
  int32_t left = params->batches * params->input_h * params->input_w;
  for (; left > 0; left -= TINYML_PATCHES) {
    const int32_t second = tinyml_min(1, left - 1);
    const int32_t third = tinyml_min(2, left - 1);
    tinyml_copy_three(params, input, 0, 0, second * input_c, third * input_c, patches);
    tinyml_multiply_patches_s4(params, patches, filters, output, second * output_c,
                               third * output_c);
    input += TINYML_PATCHES * input_c;
    output += TINYML_PATCHES * output_c;
  }
}

/* input: [batches, input_h, input_w, input_c].
 * filters: as patches_s4.h has them: the taps in the order of the runs, then
 * the runs' last bytes, then zeros. scratch: [steps, TINYML_PATCHES, 2] words, then the bytes of
 * `rest` and `line`; aligned to 4. output: [batches, output_h, output_w, output_c]. */
TINYML_KERNEL void tinyml_conv_2d_s4_patches(const struct tinyml_conv_2d_s4_patches_params *layer,
                                             const int8_t *input, const int32_t *filters,
                                             void *scratch, int8_t *output)
{
  const struct tinyml_conv_2d_s8_patches_params *params = &layer->convolution;
  if (tinyml_pixel_by_pixel(params)) {
    tinyml_conv_2d_s4_pixels(params, input, filters, scratch, output);
    return;
  }
  const struct tinyml_patch_runs runs = tinyml_patch_runs(params);
  const int32_t output_c = params->patches.output_c;
  const int32_t distance = params->stride_w * params->input_c;
  int32_t *patches = scratch;
  int8_t *rest = (int8_t *)(patches + params->patches.steps * TINYML_PATCH_STRIDE);
  int8_t *line = rest + (params->filter_h * runs.count * runs.rest + 3) / 4 * 4;
  int32_t filled = 0;
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    for (int32_t out_y = 0; out_y < params->output_h; ++out_y) {
      const int32_t y = out_y * params->stride_h - params->pad_h;
      for (int32_t out_x = 0; out_x < params->output_w; ++out_x) {
        const int32_t x = out_x * params->stride_w - params->pad_w;
        if (params->packed != 0 && filled == 0 && tinyml_three_inside(params, y, x, out_x)) {
          tinyml_copy_three(params, input, y, x, distance, 2 * distance, patches);
          filled = TINYML_PATCHES;
          out_x += TINYML_PATCHES - 1;
        } else {
          void *patch = params->packed != 0 ? (void *)(patches + filled)
                                            : (void *)((int16_t *)scratch + filled);
          tinyml_copy_patch(params, input, y, x, patch, rest, line);
          ++filled;
        }
        if (filled == TINYML_PATCHES) {
          tinyml_multiply_patches_s4(params, patches, filters, output, output_c, 2 * output_c);
          output += TINYML_PATCHES * output_c;
          filled = 0;
        }
      }
    }
    input += params->input_h * params->input_w * params->input_c;
  }
  if (filled > 0) {
    const int32_t last = (filled - 1) * output_c;
    tinyml_multiply_patches_s4(params, patches, filters, output, last, last);
  }
}

#endif
