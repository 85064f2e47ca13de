/* Amplitudes of overlapping triangular bands, for the micro front end. */
#ifndef TINYML_MICRO_FILTER_BANK_H
#define TINYML_MICRO_FILTER_BANK_H

#include <stdbool.h>

#include "tinyml_kernel.h"

/* Square root of a number of 32 bits, rounded to the nearest but at most 65535. */
TINYML_KERNEL uint32_t tinyml_micro_sqrt_32(uint32_t value)
{
  uint32_t root = 0;
  uint32_t bit = UINT32_C(1) << 30;
  while (bit > value) {
    bit >>= 2;
  }
  for (; bit != 0; bit >>= 2) {
    const bool fits = value >= root + bit;
    value -= fits ? root + bit : 0;
    root = (root >> 1) + (fits ? bit : 0);
  }
  return value > root && root != 0xFFFF ? root + 1 : root;
}

/* Square root, rounded to the nearest. */
TINYML_KERNEL uint32_t tinyml_micro_sqrt_64(uint64_t value)
{
  if (value >> 32 == 0) {
    return tinyml_micro_sqrt_32((uint32_t)value);
  }
  uint64_t root = 0;
  uint64_t bit = UINT64_C(1) << 62;
  while (bit > value) {
    bit >>= 2;
  }
  for (; bit != 0; bit >>= 2) {
    const bool fits = value >= root + bit;
    value -= fits ? root + bit : 0;
    root = (root >> 1) + (fits ? bit : 0);
  }
  return (uint32_t)(value > root && root != 0xFFFFFFFF ? root + 1 : root);
}

/* Band b falls where band b + 1 rises.  Weights are of Q4.12.
 *
 * edges: [bands + 2] line of the spectrum where each interval starts.
 * falling, rising: [edges[bands + 1] - edges[0]] weights of each line in the two bands it is in.
 * shift: how far the samples were shifted up.  amplitudes: [bands] the result. */
TINYML_KERNEL void tinyml_micro_filter_bank(int32_t bands, const uint16_t *edges,
                                            const uint16_t *falling, const uint16_t *rising,
                                            const uint32_t *energies, int32_t shift,
                                            uint32_t *amplitudes)
{
  uint64_t sum = 0;
  for (int32_t interval = 0; interval <= bands; ++interval) {
    uint64_t next = 0;
    for (int32_t line = edges[interval]; line < edges[interval + 1]; ++line) {
      sum += (uint64_t)energies[line] * falling[line - edges[0]];
      next += (uint64_t)energies[line] * rising[line - edges[0]];
    }
    if (interval > 0) {
      amplitudes[interval - 1] = tinyml_micro_sqrt_64(sum) >> shift;
    }
    sum = next;
  }
}

#endif
