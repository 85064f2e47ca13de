/* Logarithm of whole numbers by a table, for the micro front end. */
#ifndef TINYML_MICRO_LOG_H
#define TINYML_MICRO_LOG_H

#include "bit_length.h"

/* Natural logarithm, times 2^scale_shift.
 *
 * value: 2 or more.  table: [130] log2(1 + i / 128) - i / 128 as Q0.16, for i from 0 to 128. */
TINYML_KERNEL uint32_t tinyml_micro_log(uint32_t value, int32_t scale_shift, const uint16_t *table)
{
  const int32_t whole = tinyml_bit_length(value) - 1;
  const uint32_t above = value - (UINT32_C(1) << whole);
  const int32_t fraction = (int32_t)(whole < 16 ? above << (16 - whole) : above >> (whole - 16));
  const int32_t segment = fraction >> 9;
  const int32_t low = table[segment];
  const int32_t rise = table[segment + 1] - low;
  const int32_t correction = low + (rise * (fraction - segment * 512) >> 16);
  const uint32_t log2 = ((uint32_t)whole << 16) + (uint32_t)(fraction + correction);
  const uint32_t natural = (uint32_t)((UINT64_C(45426) * log2 + 0x8000) >> 16); /* ln 2 is 45426 */
  return ((natural << scale_shift) + 0x8000) >> 16;
}

/* An amplitude as a feature: its logarithm, or 0 for 0 and 1. */
TINYML_KERNEL uint32_t tinyml_micro_log_scale(uint32_t amplitude, int32_t correction_bits,
                                              int32_t scale_shift, const uint16_t *table)
{
  const uint32_t value =
      correction_bits < 0 ? amplitude >> -correction_bits : amplitude << correction_bits;
  const uint32_t scaled = value > 1 ? tinyml_micro_log(value, scale_shift, table) : 0;
  return scaled < 0xFFFF ? scaled : 0xFFFF;
}

#endif
