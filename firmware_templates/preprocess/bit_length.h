/* How many bits a number has. */
#ifndef TINYML_BIT_LENGTH_H
#define TINYML_BIT_LENGTH_H

#include "tinyml_kernel.h"

/* 0 for 0, else 1 more than the place of the highest bit. */
TINYML_KERNEL int32_t tinyml_bit_length(uint32_t value)
{
  return value == 0 ? 0 : 32 - __builtin_clz(value);
}

#endif
