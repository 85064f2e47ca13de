/* The sum of products that convolutions and fully connected layers consist of. */
#ifndef TINYML_DOT_S8_H
#define TINYML_DOT_S8_H

#include "tinyml_kernel.h"

/* sum + the sum of (input[i] + input_offset) * weights[i] over `count` elements, modulo 2^32.
 *
 * input_offset: -127 to 128.
 * count: 0 and above; nothing is read where it is negative. */
TINYML_KERNEL uint32_t tinyml_dot_s8(const int8_t *input, int32_t input_offset,
                                     const int8_t *weights, int32_t count, uint32_t sum)
{
  int32_t i = 0;
  /* Four at a time, as compilers leave loops rolled at -O2. */
  for (; i < count - 3; i += 4) {
    sum += (uint32_t)((input[i] + input_offset) * weights[i]);
    sum += (uint32_t)((input[i + 1] + input_offset) * weights[i + 1]);
    sum += (uint32_t)((input[i + 2] + input_offset) * weights[i + 2]);
    sum += (uint32_t)((input[i + 3] + input_offset) * weights[i + 3]);
  }
  for (; i < count; ++i) {
    sum += (uint32_t)((input[i] + input_offset) * weights[i]);
  }
  return sum;
}

#endif
