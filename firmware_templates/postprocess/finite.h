/* Numbers that are none. */
#ifndef TINYML_FINITE_H
#define TINYML_FINITE_H

#include <stdbool.h>

#include "float_math.h"

/* Whether a value is neither infinite nor no number. */
TINYML_KERNEL bool tinyml_is_finite(float value)
{
  return (tinyml_bits_of(value) & 0x7F800000u) != 0x7F800000u;
}

#endif
