/* Long whole numbers as floats. */
#ifndef TINYML_WHOLE_NUMBER_H
#define TINYML_WHOLE_NUMBER_H

#include "float_math.h"

/* A value of 0 or above, of which the 32 bits from the first one on count.
 *
 * The compiler's own conversion brings double precision along on cores without an FPU. */
TINYML_KERNEL float tinyml_float_of_whole(int64_t value)
{
  uint64_t rest = (uint64_t)value;
  uint32_t shift = 0;
  while (rest > UINT32_MAX) {
    rest >>= 1;
    ++shift;
  }
  return (float)(uint32_t)rest * tinyml_float_of((127u + shift) << 23);
}

#endif
