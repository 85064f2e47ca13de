/* Requantization in three instructions, with constants proven offline (see docs/kernels.md). */
#ifndef TINYML_SHORT_REQUANTIZE_H
#define TINYML_SHORT_REQUANTIZE_H

#include "dsp.h"
#include "requantize.h"
#include "tinyml_kernel.h"

/* How sums become outputs: a field of the kernels' parameters. */
enum {
  TINYML_REQUANTIZE_SHORT = 0,   /* 3 constants a channel: bias, factor, offset */
  TINYML_REQUANTIZE_SIGNED = 1,  /* 4: and what is added to negative sums */
  TINYML_REQUANTIZE_CLAMPED = 2, /* the same 4; clamped to the activation's range */
  TINYML_REQUANTIZE_EXACT = 3,   /* 3: bias, multiplier, shift of tinyml_requantize; clamped */
};

/* Constants of one channel in these modes, the bias included. */
TINYML_KERNEL int32_t tinyml_requantize_constants(int32_t mode)
{
  return mode == TINYML_REQUANTIZE_SIGNED || mode == TINYML_REQUANTIZE_CLAMPED ? 4 : 3;
}

/* ((sum * factor >> 32) + offset) >> shift, saturated to int8.
 *
 * sum: scaled as the factor expects it. */
TINYML_KERNEL int32_t tinyml_short_requantize(int32_t sum, int32_t factor, int32_t offset,
                                              int32_t shift)
{
  return tinyml_saturate_s8(tinyml_smmla(sum, factor, offset) >> shift);
}

/* The same with `below` added for negative sums. */
TINYML_KERNEL int32_t tinyml_signed_requantize(int32_t sum, int32_t factor, int32_t offset,
                                               int32_t below, int32_t shift)
{
  return tinyml_short_requantize(sum, factor, offset + (below & (sum >> 31)), shift);
}

#endif
