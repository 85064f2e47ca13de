/* SUB (input 1 minus input 2) on int16, zero points 0, with broadcasting. */
#ifndef TINYML_SUB_S16_H
#define TINYML_SUB_S16_H

#include "requantize_s16.h"
#include "strided.h"
#include "tinyml_kernel.h"

struct tinyml_sub_s16_params {
  int32_t runs;       /* number of runs that the output consists of */
  int32_t run_length; /* consecutive output elements, in which an input goes on or stays */
  int32_t step_1;     /* 1 where input 1 goes on within a run, 0 where it stays */
  int32_t step_2;
  int32_t axes;         /* of the array of runs: 1 to 5 */
  int32_t extents[5];   /* runs along each axis */
  int32_t strides_1[5]; /* elements of input 1 from one run to the next along each axis */
  int32_t strides_2[5];
  int32_t multiplier_1; /* from input 1, shifted left by 15, to twice the larger input scale */
  int32_t multiplier_2;
  int32_t shift_1; /* -31 to 0 */
  int32_t shift_2;
  int32_t output_multiplier;
  int32_t output_shift;   /* -31 to 0 */
  int32_t activation_min; /* -32768 to 32767 */
  int32_t activation_max; /* -32768 to 32767 */
};

TINYML_KERNEL int16_t tinyml_sub_s16_value(const struct tinyml_sub_s16_params *params, int16_t a,
                                           int16_t b)
{
  const int32_t scaled_a = tinyml_requantize(a * (1 << 15), params->multiplier_1, params->shift_1);
  const int32_t scaled_b = tinyml_requantize(b * (1 << 15), params->multiplier_2, params->shift_2);
  return tinyml_rescale_s16(scaled_a - scaled_b, params->output_multiplier, params->output_shift,
                            params->activation_min, params->activation_max);
}

/* output: [runs, run_length]. */
TINYML_KERNEL void tinyml_sub_s16(const struct tinyml_sub_s16_params *params,
                                  const int16_t *input_1, const int16_t *input_2, int16_t *output)
{
  for (int32_t run = 0; run < params->runs; ++run) {
    const int16_t *a =
        input_1 + tinyml_strided_offset(params->extents, params->strides_1, params->axes, run);
    const int16_t *b =
        input_2 + tinyml_strided_offset(params->extents, params->strides_2, params->axes, run);
    for (int32_t i = 0; i < params->run_length; ++i) {
      *output++ = tinyml_sub_s16_value(params, a[i * params->step_1], b[i * params->step_2]);
    }
  }
}

#endif
