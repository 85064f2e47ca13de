/* Any function of one 8-bit value, as a table of its 256 results. */
#ifndef TINYML_LOOKUP_8BIT_H
#define TINYML_LOOKUP_8BIT_H

#include "tinyml_kernel.h"

struct tinyml_lookup_8bit_params {
  int32_t elements; /* values to map; 1 or more */
};

/* output[i] = table[input[i]].
 *
 * input, output: int8 or uint8. The table is indexed by the byte of the input read as unsigned (so
 * for int8 the results for 0 to 127 come first, then those for -128 to -1) and holds the bytes of
 * the results. */
TINYML_KERNEL void tinyml_lookup_8bit(const struct tinyml_lookup_8bit_params *params,
                                      const void *input, const uint8_t *table, void *output)
{
  const uint8_t *from = input;
  uint8_t *to = output;
  for (int32_t i = 0; i < params->elements; ++i) {
    to[i] = table[from[i]];
  }
}

#endif
