/* Where the power of a channel of a window lies. */
#ifndef TINYML_SPECTRUM_F32_H
#define TINYML_SPECTRUM_F32_H

#include "real_fft_f32.h"

/* Puts the share of each line in the mean square into spectrum[0] to spectrum[size / 2]; that of
 * line 0 means nothing.
 *
 * values: [count], each `step` after the one before.  mean: of them.  taper: [count].
 * twiddles: [size].  spectrum: [size], of which the last part is scratch. */
TINYML_KERNEL void tinyml_spectrum_f32(const float *values, int32_t count, int32_t step, float mean,
                                       const float *taper, int32_t size, const float *twiddles,
                                       float *spectrum)
{
  for (int32_t i = 0; i < count; ++i) {
    spectrum[i] = (values[i * step] - mean) * taper[i];
  }
  memset(spectrum + count, 0, (size_t)(size - count) * sizeof spectrum[0]);
  tinyml_real_fft_power_f32(size, twiddles, spectrum);
  spectrum[size / 2] *= 0.5f; /* the other lines stand for two of the whole transform */
}

/* The power from line `first` to the one before `last`. */
TINYML_KERNEL float tinyml_band_power_f32(const float *spectrum, int32_t first, int32_t last)
{
  float sum = 0.0f;
  for (int32_t line = first; line < last; ++line) {
    sum += spectrum[line];
  }
  return sum;
}

/* The line with the most power, from 1 to `last`; the lowest of several. */
TINYML_KERNEL int32_t tinyml_peak_line_f32(const float *spectrum, int32_t last)
{
  int32_t peak = 1;
  for (int32_t line = 2; line <= last; ++line) {
    peak = spectrum[line] > spectrum[peak] ? line : peak;
  }
  return peak;
}

#endif
