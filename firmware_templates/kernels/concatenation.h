/* CONCATENATION of tensors of any element type along any axis. */
#ifndef TINYML_CONCATENATION_H
#define TINYML_CONCATENATION_H

#include "tinyml_kernel.h"

struct tinyml_concatenation_params {
  int32_t outer;           /* product of the dimensions before the axis; 1 or more */
  int32_t count;           /* inputs; 1 to 10 */
  int32_t slice_bytes[10]; /* bytes of each input for one step of the dimensions before the axis */
};

TINYML_KERNEL void tinyml_concatenate(const struct tinyml_concatenation_params *params,
                                      void *output, const void *const *inputs)
{
  uint8_t *to = output;
  for (int32_t k = 0; k < params->outer; ++k) {
    for (int32_t i = 0; i < params->count; ++i) {
      const size_t bytes = (size_t)params->slice_bytes[i];
      memcpy(to, (const uint8_t *)inputs[i] + (size_t)k * bytes, bytes);
      to += bytes;
    }
  }
}

/* tinyml_concatenation(params, output, inputs...): the output comes first because there are as
 * many inputs as the layer has. */
#define tinyml_concatenation(params, output, ...) \
  tinyml_concatenate((params), (output), (const void *const[]){__VA_ARGS__})

#endif
