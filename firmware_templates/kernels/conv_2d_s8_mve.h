/* CONV_2D on int8 for cores with vector instructions. */
#ifndef TINYML_CONV_2D_S8_MVE_H
#define TINYML_CONV_2D_S8_MVE_H

#include "mve_products.h"
#include "mve_requantize.h"
#include "mve_window.h"
#include "tinyml_kernel.h"

/* The runs of consecutive bytes of a window: a row of taps, or taps that dilation keeps apart. */
struct tinyml_mve_patch_params {
  int32_t copied;   /* 1: runs are copied, one behind the other; 0: used where they lie */
  int32_t rows;     /* of the window */
  int32_t row_step; /* bytes from one row to the next */
  int32_t runs;     /* in a row */
  int32_t run_step; /* bytes from one run to the next in a row */
  int32_t run_bytes;
  int32_t pitch; /* bytes from one window to the next */
};

struct tinyml_conv_2d_s8_mve_params {
  int32_t batches; /* 1 and above, as all sizes */
  int32_t output_h;
  int32_t output_w;
  int32_t output_c;
  int32_t pixels; /* requantized together, at least */
  struct tinyml_mve_window_params window;
  struct tinyml_mve_patch_params patch;
  struct tinyml_mve_runs_params runs;
  struct tinyml_mve_requantize_params requantize;
};

/* Copies the runs of three windows; up to 15 bytes behind each are read and written, too. */
TINYML_KERNEL void tinyml_mve_copy_patches(const struct tinyml_conv_2d_s8_mve_params *params,
                                           const int8_t *window, int8_t *patches)
{
  const struct tinyml_mve_patch_params *patch = &params->patch;
  for (int32_t pixel = 0; pixel < TINYML_MVE_PIXELS; ++pixel) {
    int8_t *to = patches + pixel * params->runs.pitch;
    const int8_t *from = window + pixel * patch->pitch;
    for (int32_t row = 0; row < patch->rows; ++row) {
      for (int32_t run = 0; run < patch->runs; ++run) {
        const int8_t *bytes = from + run * patch->run_step;
        for (int32_t i = 0; i < patch->run_bytes; i += 16) {
          vstrbq_s8(to + i, vldrbq_s8(bytes + i));
        }
        to += patch->run_bytes;
      }
      from += patch->row_step;
    }
  }
}

/* input: [batches, input_h, input_w, input_c].
 * weights: see tinyml_mve_filters.
 * constants: see tinyml_mve_requantize_params.
 * scratch: sums, [pixels + 2, output_c] words and up to 15 more; three patches and 16 bytes where
 *   they are copied; the window's rows, two more windows of a row, and 16 bytes. Aligned to 4.
 * output: [batches, output_h, output_w, output_c]. */
TINYML_KERNEL void tinyml_conv_2d_s8_mve(const struct tinyml_conv_2d_s8_mve_params *params,
                                         const int8_t *input, const int8_t *weights,
                                         const int32_t *constants, void *scratch, int8_t *output)
{
  const int32_t output_c = params->output_c;
  int32_t *sums = scratch;
  int8_t *patches = (int8_t *)(sums + ((params->pixels + 2) * output_c + 15) / 16 * 16);
  int8_t *window =
      patches + (params->patch.copied ? TINYML_MVE_PIXELS * params->runs.pitch + 16 : 0);
  int32_t filled = 0;
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    tinyml_mve_first_window(&params->window, input, window);
    for (int32_t out_y = 0; out_y < params->output_h; ++out_y) {
      if (out_y > 0) {
        tinyml_mve_next_window(&params->window, input, out_y, window);
      }
      const int8_t *from = window;
      for (int32_t left = params->output_w; left > 0; left -= TINYML_MVE_PIXELS) {
        if (params->patch.copied) {
          tinyml_mve_copy_patches(params, from, patches);
        }
        tinyml_mve_filters(&params->runs, params->patch.copied ? patches : from, weights, output_c,
                           sums + filled * output_c);
        from += TINYML_MVE_PIXELS * params->patch.pitch;
        filled += tinyml_min(left, TINYML_MVE_PIXELS);
        if (filled >= params->pixels) {
          tinyml_mve_requantize_sums(&params->requantize, sums, constants, filled * output_c,
                                     output);
          output += filled * output_c;
          filled = 0;
        }
      }
    }
    input += params->window.input_h * params->window.input_w * params->window.input_c;
  }
  tinyml_mve_requantize_sums(&params->requantize, sums, constants, filled * output_c, output);
}

#endif
