/* What the softmax kernels share: the sum of a row's exponentials and its reciprocal. */
#ifndef TINYML_SOFTMAX_ROW_H
#define TINYML_SOFTMAX_ROW_H

#include "requantize.h"
#include "tinyml_kernel.h"

struct tinyml_softmax_row {
  int32_t max;        /* largest input of the row */
  int32_t reciprocal; /* 1 / (sum of exponentials / 2^bits), Q0.31, 1/2 to 1 */
  int32_t bits;       /* 0 to 12 */
};

/* value * 2^exponent, saturating. */
TINYML_KERNEL int32_t tinyml_saturating_shift_left(int32_t value, int32_t exponent)
{
  const int64_t wide = (int64_t)value * (INT64_C(1) << exponent);
  return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

/* 1 / (1 + x) for x of Q0.31 in [0, 1), as Q0.31: three steps of Newton's method on Q2.29. */
TINYML_KERNEL int32_t tinyml_one_over_one_plus(int32_t x)
{
  const int32_t one = INT32_C(1) << 29;
  const int32_t half_denominator = (int32_t)(((uint32_t)x + (UINT32_C(1) << 31)) >> 1);
  /* 48/17 - 32/17 * d is the line nearest to 1/d between 1/2 and 1. */
  int32_t estimate = 1515870810 + tinyml_high_mul(half_denominator, -1010580540);
  for (int32_t step = 0; step < 3; ++step) {
    const int32_t error = one - tinyml_high_mul(half_denominator, estimate);
    estimate += tinyml_saturating_shift_left(tinyml_high_mul(estimate, error), 2);
  }
  return tinyml_saturating_shift_left(estimate, 1);
}

/* exp(scale * (input - max)) as Q0.31.
 *
 * exponentials: [count], by how much the input lies below the largest of its row; beyond, they
 * are 0. */
TINYML_KERNEL int32_t tinyml_softmax_exponential(const int32_t *exponentials, int32_t count,
                                                 int32_t max, int32_t input)
{
  return max - input < count ? exponentials[max - input] : 0;
}

/* depth: 1 or more.  count: 1 to 256. */
TINYML_KERNEL struct tinyml_softmax_row
tinyml_softmax_row(const int8_t *input, int32_t depth, const int32_t *exponentials, int32_t count)
{
  int32_t max = INT8_MIN;
  for (int32_t i = 0; i < depth; ++i) {
    max = tinyml_max(max, input[i]);
  }
  /* Q12.19. The largest input alone adds 1, so bit 19 or a higher one is set. */
  uint32_t sum = 0;
  for (int32_t i = 0; i < depth; ++i) {
    const int32_t exponential = tinyml_softmax_exponential(exponentials, count, max, input[i]);
    sum += (uint32_t)tinyml_rounding_shift_right(exponential, 12);
  }
  int32_t bits = 12;
  while (sum < UINT32_C(1) << 31) {
    sum <<= 1;
    --bits;
  }
  const int32_t fraction = (int32_t)(sum - (UINT32_C(1) << 31));
  const struct tinyml_softmax_row row = {
      .max = max, .reciprocal = tinyml_one_over_one_plus(fraction), .bits = bits};
  return row;
}

#endif
