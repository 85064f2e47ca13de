/* CONV_2D 1x1 on int8 for cores with vector instructions: pixel by pixel, where they lie. */
#ifndef TINYML_POINTWISE_CONV_2D_S8_MVE_H
#define TINYML_POINTWISE_CONV_2D_S8_MVE_H

#include "mve_products.h"
#include "mve_requantize.h"
#include "tinyml_kernel.h"

struct tinyml_pointwise_conv_2d_s8_mve_params {
  int32_t pixels; /* of input and output; 1 and above, as all sizes */
  int32_t input_c;
  int32_t output_c;
  int32_t direct;      /* pixels, a multiple of 3, behind which 16-byte steps read only input */
  int32_t requantized; /* pixels requantized together: a multiple of 3 */
  struct tinyml_mve_runs_params runs;
  struct tinyml_mve_requantize_params requantize;
};

/* input: [pixels, input_c].
 * weights: see tinyml_mve_filters.
 * constants: see tinyml_mve_requantize_params.
 * scratch: sums, [requantized, output_c] words and up to 15 more; three pixels of whole steps where
 *   not all are direct. Aligned to 4.
 * output: [pixels, output_c]. */
TINYML_KERNEL void
tinyml_pointwise_conv_2d_s8_mve(const struct tinyml_pointwise_conv_2d_s8_mve_params *params,
                                const int8_t *input, const int8_t *weights,
                                const int32_t *constants, void *scratch, int8_t *output)
{
  const int32_t output_c = params->output_c, input_c = params->input_c;
  const int32_t pitch = params->runs.steps * 16;
  int32_t *sums = scratch;
  int8_t *copies = (int8_t *)(sums + (params->requantized * output_c + 15) / 16 * 16);
  int32_t filled = 0;
  for (int32_t pixel = 0; pixel < params->pixels; pixel += TINYML_MVE_PIXELS) {
    const int32_t count = tinyml_min(params->pixels - pixel, TINYML_MVE_PIXELS);
    const int8_t *from = input;
    struct tinyml_mve_runs_params runs = params->runs;
    if (pixel >= params->direct) {
      for (int32_t i = 0; i < count; ++i) {
        tinyml_mve_copy(copies + i * pitch, input + i * input_c, input_c);
      }
      from = copies;
      runs.pitch = pitch;
    }
    tinyml_mve_filters(&runs, from, weights, output_c, sums + filled * output_c);
    input += TINYML_MVE_PIXELS * input_c;
    filled += count;
    if (filled >= params->requantized || count < TINYML_MVE_PIXELS) {
      tinyml_mve_requantize_sums(&params->requantize, sums, constants, filled * output_c, output);
      output += filled * output_c;
      filled = 0;
    }
  }
  tinyml_mve_requantize_sums(&params->requantize, sums, constants, filled * output_c, output);
}

#endif
