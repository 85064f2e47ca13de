/* MEAN on int16 over any axes. */
#ifndef TINYML_MEAN_S16_H
#define TINYML_MEAN_S16_H

#include "requantize_s16.h"
#include "strided.h"
#include "tinyml_kernel.h"

struct tinyml_mean_s16_params {
  int32_t outputs;        /* number of output elements */
  int32_t axes;           /* axes of the input that stay, neighbours merged: 1 to 6 */
  int32_t extents[6];     /* output elements along each */
  int32_t strides[6];     /* input elements from one output element to the next along each */
  int32_t runs;           /* runs of input elements that one output element averages */
  int32_t run_length;     /* input elements of a run */
  int32_t run_step;       /* input elements from one of a run to the next */
  int32_t run_axes;       /* of the array of runs: 1 to 6 */
  int32_t run_extents[6]; /* runs along each axis */
  int32_t run_strides[6]; /* input elements from one run to the next along each axis */
  int32_t multiplier;     /* from the sum to the output: includes the division by the count */
  int32_t shift;          /* -31 to 31 */
};

/* The sum of the input elements that one output element averages. */
TINYML_KERNEL uint32_t tinyml_mean_s16_sum(const struct tinyml_mean_s16_params *params,
                                           const int16_t *input)
{
  uint32_t sum = 0;
  for (int32_t run = 0; run < params->runs; ++run) {
    const int16_t *in = input + tinyml_strided_offset(params->run_extents, params->run_strides,
                                                      params->run_axes, run);
    for (int32_t i = 0; i < params->run_length; ++i) {
      const int32_t value = in[i * params->run_step];
      sum += (uint32_t)value;
    }
  }
  return sum;
}

/* output: [outputs]. */
TINYML_KERNEL void tinyml_mean_s16(const struct tinyml_mean_s16_params *params,
                                   const int16_t *input, int16_t *output)
{
  for (int32_t i = 0; i < params->outputs; ++i) {
    const int32_t first = tinyml_strided_offset(params->extents, params->strides, params->axes, i);
    const uint32_t sum = tinyml_mean_s16_sum(params, input + first);
    output[i] =
        tinyml_rescale_s16((int32_t)sum, params->multiplier, params->shift, INT16_MIN, INT16_MAX);
  }
}

#endif
