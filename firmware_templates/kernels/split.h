/* SPLIT of a tensor of any element type into equal parts along any axis. */
#ifndef TINYML_SPLIT_H
#define TINYML_SPLIT_H

#include "tinyml_kernel.h"

struct tinyml_split_params {
  int32_t outer;       /* product of the dimensions before the axis; 1 or more */
  int32_t count;       /* outputs; 1 or more */
  int32_t slice_bytes; /* bytes of each output for one step of the dimensions before the axis */
};

TINYML_KERNEL void tinyml_split_into(const struct tinyml_split_params *params, const void *input,
                                     void *const *outputs)
{
  const size_t bytes = (size_t)params->slice_bytes;
  const uint8_t *from = input;
  for (int32_t k = 0; k < params->outer; ++k) {
    for (int32_t i = 0; i < params->count; ++i) {
      memcpy((uint8_t *)outputs[i] + (size_t)k * bytes, from, bytes);
      from += bytes;
    }
  }
}

/* tinyml_split(params, input, outputs...): as many outputs as the layer has. */
#define tinyml_split(params, input, ...) \
  tinyml_split_into((params), (input), (void *const[]){__VA_ARGS__})

#endif
