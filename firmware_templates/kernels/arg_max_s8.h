/* ARG_MAX: where along an axis the largest int8 value is. */
#ifndef TINYML_ARG_MAX_S8_H
#define TINYML_ARG_MAX_S8_H

#include "tinyml_kernel.h"

struct tinyml_arg_max_s8_params {
  int32_t outer; /* product of the dimensions before the axis; 1 or more */
  int32_t depth; /* length of the axis; 1 or more */
  int32_t inner; /* product of the dimensions behind the axis; 1 or more */
};

/* output: [outer, inner], the first index of the largest value. */
TINYML_KERNEL void tinyml_arg_max_s8(const struct tinyml_arg_max_s8_params *params,
                                     const int8_t *input, int32_t *output)
{
  for (int32_t o = 0; o < params->outer; ++o) {
    for (int32_t i = 0; i < params->inner; ++i) {
      const int8_t *values = input + o * params->depth * params->inner + i;
      int32_t best = 0;
      for (int32_t d = 1; d < params->depth; ++d) {
        if (values[d * params->inner] > values[best * params->inner]) {
          best = d;
        }
      }
      *output++ = best;
    }
  }
}

#endif
