/* The sum of products of 16-bit input and 8-bit weights. */
#ifndef TINYML_DOT_S16_H
#define TINYML_DOT_S16_H

#include "dsp.h"
#include "requantize_s16.h"
#include "tinyml_kernel.h"

/* Two neighbouring int16 as a pair. */
TINYML_KERNEL int32_t tinyml_load_pair(const int16_t *values)
{
  int32_t pair;
  memcpy(&pair, values, sizeof pair);
  return pair;
}

/* sum + the products of the lower halves and of the upper halves, in 64 bits. */
TINYML_KERNEL int64_t tinyml_smlald(int32_t a, int32_t b, int64_t sum)
{
#if TINYML_DSP
  return __smlald(a, b, sum);
#else
  return sum + (int64_t)tinyml_low(a) * tinyml_low(b) + (int64_t)tinyml_high(a) * tinyml_high(b);
#endif
}

/* Four products at a time; a multiple of four is done, and `count` less that is left. */
TINYML_KERNEL int64_t tinyml_dot_s16_pairs(int32_t wide, const int16_t *input,
                                           const int8_t *weights, int32_t count, int64_t sum)
{
  int32_t narrow = (int32_t)(uint32_t)((uint64_t)sum & UINT32_MAX);
  for (int32_t i = 0; i < count - 3; i += 4) {
    const int32_t word = tinyml_load_word(weights + i);
    const int32_t first = tinyml_load_pair(input + i);
    const int32_t second = tinyml_load_pair(input + i + 2);
    const int32_t even = tinyml_low_halves(first, second);
    const int32_t odd = tinyml_high_halves(first, second);
    if (wide != 0) {
      sum = tinyml_smlald(even, tinyml_sxtb16(word), sum);
      sum = tinyml_smlald(odd, tinyml_sxtb16_odd(word), sum);
    } else {
      narrow = tinyml_smlad(even, tinyml_sxtb16(word), narrow);
      narrow = tinyml_smlad(odd, tinyml_sxtb16_odd(word), narrow);
    }
  }
  return wide != 0 ? sum : narrow;
}

/* sum + the sum of input[i] * weights[i] over `count` elements: in 64 bits, or modulo 2^32.
 *
 * count: 0 and above; nothing is read where it is negative. */
TINYML_KERNEL int64_t tinyml_dot_s16(const struct tinyml_sums_s16 *sums, const int16_t *input,
                                     const int8_t *weights, int32_t count, int64_t sum)
{
  int32_t i = 0;
  if (sums->pairs != 0 && count > 3) {
    sum = tinyml_dot_s16_pairs(sums->wide, input, weights, count, sum);
    i = count & ~3;
  }
  if (sums->wide != 0) {
    for (; i < count; ++i) {
      sum += (int32_t)input[i] * weights[i];
    }
    return sum;
  }
  uint32_t narrow = (uint32_t)((uint64_t)sum & UINT32_MAX);
  for (; i < count; ++i) {
    narrow += (uint32_t)((int32_t)input[i] * weights[i]);
  }
  return (int32_t)narrow;
}

#endif
