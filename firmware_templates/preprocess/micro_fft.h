/* Fourier transform of 16-bit numbers that scales down at each stage, for the micro front end.
 *
 * The order of the stages and the rounding of each step are those of KISS FFT with 16-bit fixed
 * point, on which TensorFlow Lite Micro's audio front end is built, so the results are the same bit
 * for bit.
 */
#ifndef TINYML_MICRO_FFT_H
#define TINYML_MICRO_FFT_H

#include "tinyml_kernel.h"

struct tinyml_micro_complex {
  int16_t re;
  int16_t im;
};

/* Number `i` of an array of real and imaginary parts. */
TINYML_KERNEL struct tinyml_micro_complex tinyml_micro_load(const int16_t *data, int32_t i)
{
  const struct tinyml_micro_complex value = {.re = data[2 * i], .im = data[2 * i + 1]};
  return value;
}

TINYML_KERNEL void tinyml_micro_store(int16_t *data, int32_t i, struct tinyml_micro_complex value)
{
  data[2 * i] = value.re;
  data[2 * i + 1] = value.im;
}

/* A product of Q0.15 numbers, rounded, cut to 16 bits. */
TINYML_KERNEL int16_t tinyml_micro_round(int32_t product)
{
  return (int16_t)(tinyml_wrapping_add(product, 1 << 14) >> 15);
}

/* value / divisor, as a multiplication by 32767 / divisor. */
TINYML_KERNEL struct tinyml_micro_complex tinyml_micro_divide(struct tinyml_micro_complex value,
                                                              int32_t divisor)
{
  const int32_t factor = 32767 / divisor;
  const struct tinyml_micro_complex result = {
      .re = tinyml_micro_round(value.re * factor),
      .im = tinyml_micro_round(value.im * factor),
  };
  return result;
}

TINYML_KERNEL struct tinyml_micro_complex tinyml_micro_multiply(struct tinyml_micro_complex a,
                                                                struct tinyml_micro_complex b)
{
  const struct tinyml_micro_complex result = {
      .re = tinyml_micro_round(tinyml_wrapping_sub(a.re * b.re, a.im * b.im)),
      .im = tinyml_micro_round(tinyml_wrapping_add(a.re * b.im, a.im * b.re)),
  };
  return result;
}

TINYML_KERNEL struct tinyml_micro_complex tinyml_micro_add(struct tinyml_micro_complex a,
                                                           struct tinyml_micro_complex b)
{
  const struct tinyml_micro_complex result = {
      .re = (int16_t)(a.re + b.re),
      .im = (int16_t)(a.im + b.im),
  };
  return result;
}

TINYML_KERNEL struct tinyml_micro_complex tinyml_micro_subtract(struct tinyml_micro_complex a,
                                                                struct tinyml_micro_complex b)
{
  const struct tinyml_micro_complex result = {
      .re = (int16_t)(a.re - b.re),
      .im = (int16_t)(a.im - b.im),
  };
  return result;
}

/* Element `i` of `data` over `divisor`, times element `w` of `twiddles`. */
TINYML_KERNEL struct tinyml_micro_complex tinyml_micro_turned(const int16_t *data, int32_t i,
                                                              int32_t divisor,
                                                              const int16_t *twiddles, int32_t w)
{
  return tinyml_micro_multiply(tinyml_micro_divide(tinyml_micro_load(data, i), divisor),
                               tinyml_micro_load(twiddles, w));
}

/* Joins pairs of neighbours. */
TINYML_KERNEL void tinyml_micro_radix_2(int32_t count, const int16_t *twiddles, int16_t *data)
{
  for (int32_t i = 0; i < count; i += 2) {
    const struct tinyml_micro_complex a = tinyml_micro_divide(tinyml_micro_load(data, i), 2);
    const struct tinyml_micro_complex b = tinyml_micro_turned(data, i + 1, 2, twiddles, 0);
    tinyml_micro_store(data, i, tinyml_micro_add(a, b));
    tinyml_micro_store(data, i + 1, tinyml_micro_subtract(a, b));
  }
}

/* Joins transforms of `part` numbers by fours. */
TINYML_KERNEL void tinyml_micro_radix_4(int32_t count, int32_t part, const int16_t *twiddles,
                                        int16_t *data)
{
  const int32_t stride = count / (4 * part);
  for (int32_t block = 0; block < count; block += 4 * part) {
    for (int32_t k = 0; k < part; ++k) {
      const int32_t at = block + k;
      const int32_t w = k * stride;
      const struct tinyml_micro_complex first = tinyml_micro_divide(tinyml_micro_load(data, at), 4);
      const struct tinyml_micro_complex a = tinyml_micro_turned(data, at + part, 4, twiddles, w);
      const struct tinyml_micro_complex b =
          tinyml_micro_turned(data, at + 2 * part, 4, twiddles, 2 * w);
      const struct tinyml_micro_complex c =
          tinyml_micro_turned(data, at + 3 * part, 4, twiddles, 3 * w);
      const struct tinyml_micro_complex even = tinyml_micro_add(first, b);
      const struct tinyml_micro_complex odd = tinyml_micro_subtract(first, b);
      const struct tinyml_micro_complex sum = tinyml_micro_add(a, c);
      const struct tinyml_micro_complex difference = tinyml_micro_subtract(a, c);
      const struct tinyml_micro_complex turned = {.re = difference.im,
                                                  .im = (int16_t)-difference.re};
      tinyml_micro_store(data, at, tinyml_micro_add(even, sum));
      tinyml_micro_store(data, at + part, tinyml_micro_add(odd, turned));
      tinyml_micro_store(data, at + 2 * part, tinyml_micro_subtract(even, sum));
      tinyml_micro_store(data, at + 3 * part, tinyml_micro_subtract(odd, turned));
    }
  }
}

/* Place of element `i` before the first stage: its digits in base 4 reversed, with one in base 2 as
 * the last where `count` is no power of 4. */
TINYML_KERNEL int32_t tinyml_micro_place(int32_t count, int32_t i)
{
  int32_t place = 0;
  int32_t left = count;
  while (left > 1) {
    const int32_t radix = left % 4 == 0 ? 4 : 2;
    left /= radix;
    place += i % radix * left;
    i /= radix;
  }
  return place;
}

/* Transforms `count` complex numbers.
 *
 * count: a power of two, 8 or more.  from: [count][2] the numbers, in order.  data: [count] the
 * result. twiddles: [count][2] exp(-2 pi i k / count) as Q0.15. */
TINYML_KERNEL void tinyml_micro_fft(int32_t count, const int16_t *twiddles, const int16_t *from,
                                    int16_t *data)
{
  for (int32_t i = 0; i < count; ++i) {
    tinyml_micro_store(data, tinyml_micro_place(count, i), tinyml_micro_load(from, i));
  }
  int32_t part = 1;
  int32_t digits = 0;
  for (int32_t left = count; left > 1; left /= 2) {
    ++digits;
  }
  if (digits % 2 != 0) {
    tinyml_micro_radix_2(count, twiddles, data);
    part = 2;
  }
  for (; part < count; part *= 4) {
    tinyml_micro_radix_4(count, part, twiddles, data);
  }
}

TINYML_KERNEL uint32_t tinyml_micro_energy(int16_t re, int16_t im)
{
  return (uint32_t)(re * re) + (uint32_t)(im * im);
}

/* Squared amplitudes of the transform of 2 * count real numbers, from that of count complex ones.
 *
 * data: [count][2].  halves: [count / 2][2] exp(-i pi ((k + 1) / count + 1 / 2)) as Q0.15.
 * energies: [count + 1] the result. */
TINYML_KERNEL void tinyml_micro_real_energies(int32_t count, const int16_t *halves,
                                              const int16_t *data, uint32_t *energies)
{
  const struct tinyml_micro_complex dc = tinyml_micro_divide(tinyml_micro_load(data, 0), 2);
  energies[0] = tinyml_micro_energy((int16_t)(dc.re + dc.im), 0);
  energies[count] = tinyml_micro_energy((int16_t)(dc.re - dc.im), 0);
  for (int32_t k = 1; k <= count / 2; ++k) {
    const struct tinyml_micro_complex a = tinyml_micro_divide(tinyml_micro_load(data, k), 2);
    struct tinyml_micro_complex mirrored = tinyml_micro_load(data, count - k);
    mirrored.im = (int16_t)-mirrored.im;
    const struct tinyml_micro_complex b = tinyml_micro_divide(mirrored, 2);
    const struct tinyml_micro_complex even = tinyml_micro_add(a, b);
    const struct tinyml_micro_complex odd =
        tinyml_micro_multiply(tinyml_micro_subtract(a, b), tinyml_micro_load(halves, k - 1));
    energies[k] =
        tinyml_micro_energy((int16_t)((even.re + odd.re) >> 1), (int16_t)((even.im + odd.im) >> 1));
    energies[count - k] =
        tinyml_micro_energy((int16_t)((even.re - odd.re) >> 1), (int16_t)((odd.im - even.im) >> 1));
  }
}

#endif
