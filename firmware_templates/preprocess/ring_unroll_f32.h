/* Brings a ring of numbers into the order of time, in place. */
#ifndef TINYML_RING_UNROLL_F32_H
#define TINYML_RING_UNROLL_F32_H

#include "tinyml_kernel.h"

/* Reverses the values from `first` to the one before `last`. */
TINYML_KERNEL void tinyml_reverse_f32(float *values, int32_t first, int32_t last)
{
  for (int32_t a = first, b = last - 1; a < b; ++a, --b) {
    const float kept = values[a];
    values[a] = values[b];
    values[b] = kept;
  }
}

/* Lets the value at `oldest` become the first; those before it become the last.
 *
 * values: [count].  oldest: below count. */
TINYML_KERNEL void tinyml_ring_unroll_f32(float *values, int32_t oldest, int32_t count)
{
  if (oldest == 0) {
    return;
  }
  tinyml_reverse_f32(values, 0, oldest);
  tinyml_reverse_f32(values, oldest, count);
  tinyml_reverse_f32(values, 0, count);
}

#endif
