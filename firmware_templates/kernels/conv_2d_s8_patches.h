/* CONV_2D on int8: copies patches, then multiplies them. */
#ifndef TINYML_CONV_2D_S8_PATCHES_H
#define TINYML_CONV_2D_S8_PATCHES_H

#include "patches_plain_s8.h"
#include "patches_s8.h"
#include "tinyml_kernel.h"

struct tinyml_conv_2d_s8_patches_params {
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
  int32_t packed;         /* 1: for DSP instructions, see patches_s8.h; 0: patches_plain_s8.h */
  int32_t requantization; /* TINYML_REQUANTIZE_SHORT or another */
  struct tinyml_patches_params patches;
};

/* The runs of consecutive input bytes that a patch consists of: rows of the window, or taps where
 * dilation keeps them apart. A run's last bytes that make no full word wait for those of the other
 * runs. */
struct tinyml_patch_runs {
  int32_t taps;  /* a run's taps in a row */
  int32_t count; /* runs in a row of the window */
  int32_t bytes; /* a run's bytes */
  int32_t rest;  /* its bytes that make no full word */
};

TINYML_KERNEL struct tinyml_patch_runs
tinyml_patch_runs(const struct tinyml_conv_2d_s8_patches_params *params)
{
  const int32_t taps = params->dilation_w == 1 ? params->filter_w : 1;
  const int32_t bytes = taps * params->input_c;
  const struct tinyml_patch_runs runs = {
      .taps = taps, .count = params->filter_w / taps, .bytes = bytes, .rest = bytes % 4};
  return runs;
}

/* A run with padding, copied to `line`; y, x: its first tap in the input. */
TINYML_KERNEL void tinyml_padded_run(const struct tinyml_conv_2d_s8_patches_params *params,
                                     struct tinyml_patch_runs runs, const int8_t *input, int32_t y,
                                     int32_t x, int8_t *line)
{
  memset(line, params->padding, (size_t)runs.bytes);
  const int32_t begin = tinyml_max(0, -x);
  const int32_t end = tinyml_min(runs.taps, params->input_w - x);
  if (y >= 0 && y < params->input_h && begin < end) {
    const int8_t *from = input + (y * params->input_w + x + begin) * params->input_c;
    memcpy(line + begin * params->input_c, from, (size_t)((end - begin) * params->input_c));
  }
}

/* Adds `words` * 4 input bytes to a patch; returns where it goes on. */
TINYML_KERNEL void *tinyml_add_to_patch(const struct tinyml_conv_2d_s8_patches_params *params,
                                        void *patch, const int8_t *bytes, int32_t words)
{
  if (params->packed != 0) {
    return tinyml_patch_words(patch, bytes, words);
  }
  return words > 0 ? tinyml_plain_patch_bytes(patch, bytes, words) : patch;
}

/* Copies the patch whose first tap is at y, x.
 *
 * rest: room for the bytes that make no full words, a multiple of 4.
 * line: room for one run. */
TINYML_KERNEL void tinyml_copy_patch(const struct tinyml_conv_2d_s8_patches_params *params,
                                     const int8_t *input, int32_t y, int32_t x, void *patch,
                                     int8_t *rest, int8_t *line)
{
  const struct tinyml_patch_runs runs = tinyml_patch_runs(params);
  int8_t *waiting = rest;
  for (int32_t row = 0; row < params->filter_h; ++row) {
    const int32_t in_y = y + row * params->dilation_h;
    for (int32_t run = 0; run < runs.count; ++run) {
      const int32_t in_x = x + run * params->dilation_w;
      const int8_t *bytes = line;
      if (in_y >= 0 && in_y < params->input_h && in_x >= 0 && in_x + runs.taps <= params->input_w) {
        bytes = input + (in_y * params->input_w + in_x) * params->input_c;
      } else {
        tinyml_padded_run(params, runs, input, in_y, in_x, line);
      }
      patch = tinyml_add_to_patch(params, patch, bytes, runs.bytes / 4);
      for (int32_t i = runs.bytes - runs.rest; i < runs.bytes; ++i) {
        *waiting++ = bytes[i];
      }
    }
  }
  const int32_t waiting_bytes = params->filter_h * runs.count * runs.rest;
  tinyml_add_to_patch(params, patch, rest, (waiting_bytes + 3) / 4);
}

/* The words of three patches at a time, all within the input.
 *
 * y, x: the first tap of patch 0; distance_1, distance_2: bytes to the first taps of the others. */
TINYML_KERNEL void tinyml_copy_three(const struct tinyml_conv_2d_s8_patches_params *params,
                                     const int8_t *input, int32_t y, int32_t x, int32_t distance_1,
                                     int32_t distance_2, int32_t *patches)
{
  const struct tinyml_patch_runs runs = tinyml_patch_runs(params);
  const int32_t words = runs.bytes / 4;
  int32_t *last = patches + params->filter_h * runs.count * words * TINYML_PATCH_STRIDE;
  /* The runs' last bytes, until they make a word. */
  uint32_t w0 = 0, w1 = 0, w2 = 0;
  int32_t bits = 0;
  for (int32_t row = 0; row < params->filter_h; ++row) {
    const int32_t in_y = y + row * params->dilation_h;
    for (int32_t run = 0; run < runs.count; ++run) {
      const int8_t *bytes =
          input + (in_y * params->input_w + x + run * params->dilation_w) * params->input_c;
      patches =
          tinyml_patch_three_words(patches, bytes, bytes + distance_1, bytes + distance_2, words);
      for (int32_t i = runs.bytes - runs.rest; i < runs.bytes; ++i) {
        w0 |= (uint32_t)(uint8_t)bytes[i] << bits;
        w1 |= (uint32_t)(uint8_t)bytes[i + distance_1] << bits;
        w2 |= (uint32_t)(uint8_t)bytes[i + distance_2] << bits;
        bits += 8;
        if (bits == 32) {
          last = tinyml_patch_three_values(last, (int32_t)w0, (int32_t)w1, (int32_t)w2);
          w0 = w1 = w2 = 0;
          bits = 0;
        }
      }
    }
  }
  if (bits > 0) {
    tinyml_patch_three_values(last, (int32_t)w0, (int32_t)w1, (int32_t)w2);
  }
}

/* Multiplies the patches with all filters.
 *
 * at_1, at_2: see struct tinyml_patch_work. */
TINYML_KERNEL void tinyml_multiply_patches(const struct tinyml_conv_2d_s8_patches_params *params,
                                           const int32_t *patches, const int32_t *filters,
                                           int8_t *output, int32_t at_1, int32_t at_2)
{
  if (params->packed == 0) {
    tinyml_plain_patches(&params->patches, params->requantization, (const int16_t *)patches,
                         filters, output, at_1, at_2);
    return;
  }
  const struct tinyml_patch_work work = {
      .patches = patches,
      .end = patches + params->patches.steps * TINYML_PATCH_STRIDE,
      .filters = filters,
      .first_turn = tinyml_patch_first_turn(params->patches.steps),
      .output = output,
      .at_1 = at_1,
      .at_2 = at_2,
      .output_end = output + params->patches.output_c,
  };
  if (params->requantization == TINYML_REQUANTIZE_SHORT) {
    tinyml_patches_short(params->patches.shift, work);
  } else if (params->requantization == TINYML_REQUANTIZE_SIGNED) {
    tinyml_patches_signed(&params->patches, &work);
  } else if (params->requantization == TINYML_REQUANTIZE_CLAMPED) {
    tinyml_patches_clamped(&params->patches, &work);
  } else {
    tinyml_patches_exact(&params->patches, &work);
  }
}

/* Whether windows are single pixels, all of them in a row: no padding, no distance between them. */
TINYML_KERNEL int32_t tinyml_pixel_by_pixel(const struct tinyml_conv_2d_s8_patches_params *params)
{
  return params->packed != 0 && params->filter_h * params->filter_w == 1 && params->stride_h == 1 &&
         params->stride_w == 1 && params->pad_h == 0 && params->pad_w == 0 &&
         params->output_h == params->input_h && params->output_w == params->input_w;
}

/* A convolution of single pixels: three after another, the last two or one like three. */
TINYML_KERNEL void tinyml_conv_2d_s8_pixels(const struct tinyml_conv_2d_s8_patches_params *params,
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
    tinyml_multiply_patches(params, patches, filters, output, second * output_c, third * output_c);
    input += TINYML_PATCHES * input_c;
    output += TINYML_PATCHES * output_c;
  }
}

/* Whether the windows of three neighbouring outputs are whole within the input, and these in one
 * row. */
TINYML_KERNEL int32_t tinyml_three_inside(const struct tinyml_conv_2d_s8_patches_params *params,
                                          int32_t y, int32_t x, int32_t out_x)
{
  const int32_t last_y = (params->filter_h - 1) * params->dilation_h;
  const int32_t last_x = (params->filter_w - 1) * params->dilation_w + 2 * params->stride_w;
  return out_x + 2 < params->output_w && y >= 0 && y + last_y < params->input_h && x >= 0 &&
         x + last_x < params->input_w;
}

/* input: [batches, input_h, input_w, input_c].
 * filters: as patches_s8.h or patches_plain_s8.h has them: the taps in the order of the runs, then
 * the runs' last bytes, then zeros. scratch: [steps, TINYML_PATCHES, 2] words, then the bytes of
 * `rest` and `line`; aligned to 4. output: [batches, output_h, output_w, output_c]. */
TINYML_KERNEL void tinyml_conv_2d_s8_patches(const struct tinyml_conv_2d_s8_patches_params *params,
                                             const int8_t *input, const int32_t *filters,
                                             void *scratch, int8_t *output)
{
  if (tinyml_pixel_by_pixel(params)) {
    tinyml_conv_2d_s8_pixels(params, input, filters, scratch, output);
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
          tinyml_multiply_patches(params, patches, filters, output, output_c, 2 * output_c);
          output += TINYML_PATCHES * output_c;
          filled = 0;
        }
      }
    }
    input += params->input_h * params->input_w * params->input_c;
  }
  if (filled > 0) {
    const int32_t last = (filled - 1) * output_c;
    tinyml_multiply_patches(params, patches, filters, output, last, last);
  }
}

#endif
