/* Subtracts a slow estimate of the noise in each band, for the micro front end. */
#ifndef TINYML_MICRO_NOISE_REDUCTION_H
#define TINYML_MICRO_NOISE_REDUCTION_H

#include "tinyml_kernel.h"

struct tinyml_micro_noise_params {
  int32_t bands;
  int32_t smoothing_bits;  /* fraction bits of an estimate */
  uint32_t even_smoothing; /* share of the new amplitude, Q2.14, in bands 0, 2, ... */
  uint32_t odd_smoothing;  /* and in bands 1, 3, ... */
  uint32_t min_remaining;  /* share of an amplitude that is always left, Q2.14 */
};

/* amplitudes, estimates: [bands], both updated. */
TINYML_KERNEL void tinyml_micro_noise_reduction(const struct tinyml_micro_noise_params *params,
                                                uint32_t *amplitudes, uint32_t *estimates)
{
  for (int32_t i = 0; i < params->bands; ++i) {
    const uint32_t share = i % 2 == 0 ? params->even_smoothing : params->odd_smoothing;
    const uint32_t scaled = amplitudes[i] << params->smoothing_bits;
    const uint64_t mixed =
        (uint64_t)scaled * share + (uint64_t)estimates[i] * ((UINT32_C(1) << 14) - share);
    const uint32_t estimate = (uint32_t)(mixed >> 14);
    estimates[i] = estimate;
    const uint32_t above = scaled > estimate ? scaled - estimate : 0;
    const uint32_t left = above >> params->smoothing_bits;
    const uint32_t least = (uint32_t)((uint64_t)amplitudes[i] * params->min_remaining >> 14);
    amplitudes[i] = left > least ? left : least;
  }
}

#endif
