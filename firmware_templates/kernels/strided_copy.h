/* Copies a strided view of a tensor into a dense one: transposes, slices and reversals of tensors
 * of any element type, because it only moves bytes. */
#ifndef TINYML_STRIDED_COPY_H
#define TINYML_STRIDED_COPY_H

#include "tinyml_kernel.h"

struct tinyml_strided_copy_params {
  int32_t offset;    /* byte offset of the first run in the input; 0 or more */
  int32_t counts[5]; /* runs along each axis of the output, outermost first; 1 or more */
  int32_t steps[5];  /* bytes in the input from one run to the next along each axis; any sign */
  int32_t run_bytes; /* bytes that lie together in input and output; 1 or more */
};

TINYML_KERNEL void tinyml_strided_copy(const struct tinyml_strided_copy_params *params,
                                       const void *input, void *output)
{
  const int32_t *counts = params->counts;
  const int32_t *steps = params->steps;
  const uint8_t *from = input;
  uint8_t *to = output;
  int32_t at0 = params->offset;
  for (int32_t i0 = 0; i0 < counts[0]; ++i0, at0 += steps[0]) {
    int32_t at1 = at0;
    for (int32_t i1 = 0; i1 < counts[1]; ++i1, at1 += steps[1]) {
      int32_t at2 = at1;
      for (int32_t i2 = 0; i2 < counts[2]; ++i2, at2 += steps[2]) {
        int32_t at3 = at2;
        for (int32_t i3 = 0; i3 < counts[3]; ++i3, at3 += steps[3]) {
          int32_t at4 = at3;
          for (int32_t i4 = 0; i4 < counts[4]; ++i4, at4 += steps[4]) {
            memcpy(to, from + at4, (size_t)params->run_bytes);
            to += params->run_bytes;
          }
        }
      }
    }
  }
}

#endif
