/* Squared amplitudes of the Fourier transform of real numbers. */
#ifndef TINYML_REAL_FFT_F32_H
#define TINYML_REAL_FFT_F32_H

#include "float_math.h"

/* Puts element i of `count` complex numbers to the place with the bits of i reversed. */
TINYML_KERNEL void tinyml_bit_reversal_f32(int32_t count, float *data)
{
  int32_t reversed = 0;
  for (int32_t i = 1; i < count; ++i) {
    int32_t bit = count >> 1;
    for (; (reversed & bit) != 0; bit >>= 1) {
      reversed ^= bit;
    }
    reversed ^= bit;
    if (i < reversed) {
      for (int32_t part = 0; part < 2; ++part) {
        const float kept = data[2 * i + part];
        data[2 * i + part] = data[2 * reversed + part];
        data[2 * reversed + part] = kept;
      }
    }
  }
}

/* Transforms `count` complex numbers (real, imaginary, ...) in place: decimation in time.
 *
 * count: a power of two, 2 or more.
 * twiddles: cos and -sin of 2 pi k / (2 count) for k below count. */
TINYML_KERNEL void tinyml_complex_fft_f32(int32_t count, const float *twiddles, float *data)
{
  tinyml_bit_reversal_f32(count, data);
  for (int32_t i = 0; i < 2 * count; i += 4) { /* the first stage multiplies by 1 only */
    const float re = data[i + 2];
    const float im = data[i + 3];
    data[i + 2] = data[i] - re;
    data[i + 3] = data[i + 1] - im;
    data[i] += re;
    data[i + 1] += im;
  }
  for (int32_t half = 2; half < count; half *= 2) {
    const float *w = twiddles;
    for (int32_t first = 0; first < half; ++first, w += 2 * (count / half)) {
      const float w_re = w[0];
      const float w_im = w[1];
      for (int32_t i = 2 * first; i < 2 * count; i += 4 * half) {
        float *const a = data + i;
        float *const b = a + 2 * half;
        const float re = b[0] * w_re - b[1] * w_im;
        const float im = b[0] * w_im + b[1] * w_re;
        b[0] = a[0] - re;
        b[1] = a[1] - im;
        a[0] += re;
        a[1] += im;
      }
    }
  }
}

/* Turns `size` real numbers into the size / 2 + 1 squared amplitudes of their transform, in place.
 *
 * The numbers are taken as size / 2 complex ones; their transform Z gives that of the even and of
 * the odd numbers, and these give the wanted one.
 *
 * size: a power of two, 8 or more.
 * twiddles: [size] cos and -sin of 2 pi k / size for k below size / 2. */
TINYML_KERNEL void tinyml_real_fft_power_f32(int32_t size, const float *twiddles, float *data)
{
  const int32_t half = size / 2;
  tinyml_complex_fft_f32(half, twiddles, data);
  const float sum = data[0] + data[1];
  const float difference = data[0] - data[1];
  data[0] = sum * sum;
  for (int32_t k = 1; k <= half / 2; ++k) {
    const float *const z = data + 2 * k;
    const float *const mirrored = data + 2 * (half - k);
    const float even_re = 0.5f * (z[0] + mirrored[0]);
    const float even_im = 0.5f * (z[1] - mirrored[1]);
    const float odd_re = 0.5f * (z[1] + mirrored[1]);
    const float odd_im = 0.5f * (mirrored[0] - z[0]);
    const float w_re = twiddles[2 * k];
    const float w_im = twiddles[2 * k + 1];
    const float re = odd_re * w_re - odd_im * w_im;
    const float im = odd_re * w_im + odd_im * w_re;
    data[2 * k] = (even_re + re) * (even_re + re) + (even_im + im) * (even_im + im);
    data[2 * (half - k)] = (even_re - re) * (even_re - re) + (even_im - im) * (even_im - im);
  }
  for (int32_t k = 1; k < half; ++k) {
    data[k] = data[2 * k];
  }
  data[half] = difference * difference;
}

#endif
