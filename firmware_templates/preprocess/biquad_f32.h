/* Filter sections of second order, one after the other. */
#ifndef TINYML_BIQUAD_F32_H
#define TINYML_BIQUAD_F32_H

#include "float_math.h"

/* The next value of a signal, filtered; transposed direct form II.
 *
 * coefficients: [sections][5] b0, b1, b2, a1, a2.  memory: [sections][2], zeros at first. */
TINYML_KERNEL float tinyml_biquads_f32(int32_t sections, const float *coefficients, float *memory,
                                       float value)
{
  for (int32_t s = 0; s < sections; ++s) {
    const float *const c = coefficients + 5 * s;
    float *const m = memory + 2 * s;
    const float filtered = c[0] * value + m[0];
    m[0] = c[1] * value - c[3] * filtered + m[1];
    m[1] = c[2] * value - c[4] * filtered;
    value = filtered;
  }
  return value;
}

#endif
