/* 4-bit weights for cores with DSP instructions: two filters in one word, unpacked by three.
 *
 * Inputs are the pairs A and B of patches_s8.h. A word holds the weights f0..f3 of one filter and
 * g0..g3 of another for four inputs; its halves are, from the highest four bits on,
 *
 *   g0, f0 + 8, g1 + 8, f1 + 8    and    g2, f2 + 8, g3 + 8, f3 + 8    (the upper half)
 *
 * Of such a word v, V = v & 0x0F0F0F0F are the pairs (256 (f0 + 8) + f1 + 8, ...), of which W,
 * bytes 0 and 2, are (f1 + 8, ...). So A*V + B*W are 256 times the first filter's products, with 8
 * more in each weight. And as v is V plus 16 times the same of the second filter, A*v + B*(bytes
 * 0 and 2 of v) are the first filter's sum and 16 times the second one's: it need not be shifted to
 * its place, but the other sum is taken off at the end. What the 8 add depends on the inputs alone:
 * it is computed once, and the sums begin below zero by it. */
#ifndef TINYML_NIBBLES_S4_H
#define TINYML_NIBBLES_S4_H

#include "dsp.h"
#include "tinyml_kernel.h"

/* What the 8 more in each weight add to sums of all inputs. */
struct tinyml_excess_s4 {
  int32_t first;  /* to those of first filters */
  int32_t second; /* to those of second filters, whose g0 and g2 are stored as they are */
};

/* Sums of the pairs A and of the pairs B of all inputs. */
struct tinyml_pair_sums {
  int32_t a;
  int32_t b;
};

TINYML_KERNEL struct tinyml_pair_sums tinyml_add_pairs(struct tinyml_pair_sums sums, int32_t a,
                                                       int32_t b)
{
  sums.a = tinyml_smlad(a, 0x00010001, sums.a);
  sums.b = tinyml_smlad(b, 0x00010001, sums.b);
  return sums;
}

TINYML_KERNEL struct tinyml_excess_s4 tinyml_excess_s4(struct tinyml_pair_sums sums)
{
  const uint32_t second = 8u * ((uint32_t)sums.a + (uint32_t)sums.b);
  const struct tinyml_excess_s4 excess = {
      .first = (int32_t)(second + 2048u * (uint32_t)sums.a),
      .second = (int32_t)second,
  };
  return excess;
}

/* With what the sum of a first filter begins. */
TINYML_KERNEL int32_t tinyml_first_s4(int32_t bias, struct tinyml_excess_s4 excess)
{
  return tinyml_wrapping_sub(bias, excess.first);
}

/* With what the sum of a second filter begins; first: that of its first one. */
TINYML_KERNEL int32_t tinyml_second_s4(int32_t first, int32_t bias, struct tinyml_excess_s4 excess)
{
  const uint32_t own = (uint32_t)bias - (uint32_t)excess.second;
  return (int32_t)((uint32_t)first + 16u * own);
}

/* The sum of a second filter without that of its first one. It must fit 28 bits. */
TINYML_KERNEL int32_t tinyml_apart_s4(int32_t second, int32_t first)
{
  return tinyml_wrapping_sub(second, first) >> 4;
}

#endif
