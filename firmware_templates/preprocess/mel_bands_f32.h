/* Energies of overlapping triangular bands of a spectrum. */
#ifndef TINYML_MEL_BANDS_F32_H
#define TINYML_MEL_BANDS_F32_H

#include "float_math.h"

/* Band b rises from edge b to edge b + 1 and falls to edge b + 2, so where it falls by a share the
 * next one rises by the same: one weight for each line of the spectrum does.
 *
 * edges: [bands + 2] first line at or above each edge, ascending.
 * rise: [edges[bands + 1] - edges[0]] weight of each line in the band that rises there, 0 to 1.
 * energies: [bands] the result. */
TINYML_KERNEL void tinyml_mel_bands_f32(int32_t bands, const uint16_t *edges, const float *rise,
                                        const float *spectrum, float *energies)
{
  float falling = 0.0f; /* of the band that rose in the interval before */
  for (int32_t interval = 0; interval <= bands; ++interval) {
    float rising_here = 0.0f;
    float falling_here = 0.0f;
    for (int32_t line = edges[interval]; line < edges[interval + 1]; ++line) {
      const float rising = spectrum[line] * rise[line - edges[0]];
      rising_here += rising;
      falling_here += spectrum[line] - rising;
    }
    if (interval > 0) {
      energies[interval - 1] = falling + falling_here;
    }
    falling = rising_here;
  }
}

#endif
