/* The sum of products of int8 input and 4-bit weights. */
#ifndef TINYML_DOT_S4_H
#define TINYML_DOT_S4_H

#include "tinyml_kernel.h"

/* The weight in the lower half of a byte, and that in its upper half: -8 to 7. */
TINYML_KERNEL int32_t tinyml_lower_s4(int32_t byte) { return ((byte & 0xF) ^ 8) - 8; }

TINYML_KERNEL int32_t tinyml_upper_s4(int32_t byte) { return tinyml_lower_s4(byte >> 4); }

/* Weight number `index` of weights that are stored two a byte, the first in the lower half. */
TINYML_KERNEL int32_t tinyml_weight_s4(const uint8_t *weights, int32_t index)
{
  const int32_t byte = weights[index >> 1];
  return (index & 1) == 0 ? tinyml_lower_s4(byte) : tinyml_upper_s4(byte);
}

/* sum + the sum of (input[i] + input_offset) * weight number first + i, over `count` elements,
 * modulo 2^32.
 *
 * input_offset: -127 to 128.
 * first, count: 0 and above. */
TINYML_KERNEL uint32_t tinyml_dot_s4(const int8_t *input, int32_t input_offset,
                                     const uint8_t *weights, int32_t first, int32_t count,
                                     uint32_t sum)
{
  int32_t i = 0;
  if ((first & 1) != 0 && count > 0) {
    sum += (uint32_t)((input[0] + input_offset) * tinyml_weight_s4(weights, first));
    i = 1;
  }
  const uint8_t *pair = weights + ((first + i) >> 1);
  for (; i < count - 1; i += 2) {
    const int32_t byte = *pair++;
    sum += (uint32_t)((input[i] + input_offset) * tinyml_lower_s4(byte));
    sum += (uint32_t)((input[i + 1] + input_offset) * tinyml_upper_s4(byte));
  }
  if (i < count) {
    sum += (uint32_t)((input[i] + input_offset) * tinyml_lower_s4(*pair));
  }
  return sum;
}

#endif
