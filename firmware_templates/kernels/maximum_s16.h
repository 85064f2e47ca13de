/* MAXIMUM on int16, with broadcasting; both inputs and the output have the same quantization. */
#ifndef TINYML_MAXIMUM_S16_H
#define TINYML_MAXIMUM_S16_H

#include "strided.h"
#include "tinyml_kernel.h"

struct tinyml_maximum_s16_params {
  int32_t runs;       /* number of runs that the output consists of */
  int32_t run_length; /* consecutive output elements, in which an input goes on or stays */
  int32_t step_1;     /* 1 where input 1 goes on within a run, 0 where it stays */
  int32_t step_2;
  int32_t axes;         /* of the array of runs: 1 to 5 */
  int32_t extents[5];   /* runs along each axis */
  int32_t strides_1[5]; /* elements of input 1 from one run to the next along each axis */
  int32_t strides_2[5];
};

/* output: [runs, run_length]. */
TINYML_KERNEL void tinyml_maximum_s16(const struct tinyml_maximum_s16_params *params,
                                      const int16_t *input_1, const int16_t *input_2,
                                      int16_t *output)
{
  for (int32_t run = 0; run < params->runs; ++run) {
    const int16_t *a =
        input_1 + tinyml_strided_offset(params->extents, params->strides_1, params->axes, run);
    const int16_t *b =
        input_2 + tinyml_strided_offset(params->extents, params->strides_2, params->axes, run);
    for (int32_t i = 0; i < params->run_length; ++i) {
      *output++ = (int16_t)tinyml_max(a[i * params->step_1], b[i * params->step_2]);
    }
  }
}

#endif
