/* MUL on int16, zero points 0, with broadcasting. */
#ifndef TINYML_MUL_S16_H
#define TINYML_MUL_S16_H

#include "requantize_s16.h"
#include "strided.h"
#include "tinyml_kernel.h"

struct tinyml_mul_s16_params {
  int32_t runs;       /* number of runs that the output consists of */
  int32_t run_length; /* consecutive output elements, in which an input goes on or stays */
  int32_t step_1;     /* 1 where input 1 goes on within a run, 0 where it stays */
  int32_t step_2;
  int32_t axes;         /* of the array of runs: 1 to 5 */
  int32_t extents[5];   /* runs along each axis */
  int32_t strides_1[5]; /* elements of input 1 from one run to the next along each axis */
  int32_t strides_2[5];
  int32_t output_multiplier;
  int32_t output_shift;   /* -31 to 31 */
  int32_t activation_min; /* -32768 to 32767 */
  int32_t activation_max; /* -32768 to 32767 */
};

/* output: [runs, run_length]. */
TINYML_KERNEL void tinyml_mul_s16(const struct tinyml_mul_s16_params *params,
                                  const int16_t *input_1, const int16_t *input_2, int16_t *output)
{
  for (int32_t run = 0; run < params->runs; ++run) {
    const int16_t *a =
        input_1 + tinyml_strided_offset(params->extents, params->strides_1, params->axes, run);
    const int16_t *b =
        input_2 + tinyml_strided_offset(params->extents, params->strides_2, params->axes, run);
    for (int32_t i = 0; i < params->run_length; ++i) {
      const int32_t product = (int32_t)a[i * params->step_1] * b[i * params->step_2];
      *output++ = tinyml_rescale_s16(product, params->output_multiplier, params->output_shift,
                                     params->activation_min, params->activation_max);
    }
  }
}

#endif
