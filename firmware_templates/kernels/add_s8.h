/* ADD on int8, with broadcasting. */
#ifndef TINYML_ADD_S8_H
#define TINYML_ADD_S8_H

#include "requantize.h"
#include "strided.h"
#include "tinyml_kernel.h"

struct tinyml_add_s8_params {
  int32_t runs;       /* number of runs that the output consists of */
  int32_t run_length; /* consecutive output elements, in which an input goes on or stays */
  int32_t step_1;     /* 1 where input 1 goes on within a run, 0 where it stays */
  int32_t step_2;
  int32_t axes;         /* of the array of runs: 1 to 5 */
  int32_t extents[5];   /* runs along each axis */
  int32_t strides_1[5]; /* elements of input 1 from one run to the next along each axis */
  int32_t strides_2[5];
  int32_t offset_1; /* minus the zero point of input 1: -127 to 128 */
  int32_t offset_2;
  int32_t multiplier_1; /* from input 1, shifted left by 20, to twice the larger input scale */
  int32_t multiplier_2;
  int32_t shift_1; /* -31 to 0 */
  int32_t shift_2;
  int32_t output_offset; /* the output's zero point: -128 to 127 */
  int32_t output_multiplier;
  int32_t output_shift;   /* -31 to 0 */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

TINYML_KERNEL int8_t tinyml_add_s8_value(const struct tinyml_add_s8_params *params, int8_t a,
                                         int8_t b)
{
  const int32_t scaled_a =
      tinyml_requantize((a + params->offset_1) * (1 << 20), params->multiplier_1, params->shift_1);
  const int32_t scaled_b =
      tinyml_requantize((b + params->offset_2) * (1 << 20), params->multiplier_2, params->shift_2);
  return tinyml_requantize_s8(scaled_a + scaled_b, params->output_multiplier, params->output_shift,
                              params->output_offset, params->activation_min,
                              params->activation_max);
}

/* output: [runs, run_length]. */
TINYML_KERNEL void tinyml_add_s8(const struct tinyml_add_s8_params *params, const int8_t *input_1,
                                 const int8_t *input_2, int8_t *output)
{
  for (int32_t run = 0; run < params->runs; ++run) {
    const int8_t *a =
        input_1 + tinyml_strided_offset(params->extents, params->strides_1, params->axes, run);
    const int8_t *b =
        input_2 + tinyml_strided_offset(params->extents, params->strides_2, params->axes, run);
    for (int32_t i = 0; i < params->run_length; ++i) {
      *output++ = tinyml_add_s8_value(params, a[i * params->step_1], b[i * params->step_2]);
    }
  }
}

#endif
