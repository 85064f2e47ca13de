/* Instructions that work on two 16-bit values at once.
 *
 * On cores that have them each function is one instruction (ARMv7E-M, ARMv8-M with DSP). Elsewhere
 * the same in C, so that the very kernels of the target also run, and are tested, on a computer.
 * A "pair" is two int16 in one word: the first in the lower half. Sums wrap modulo 2^32. */
#ifndef TINYML_DSP_H
#define TINYML_DSP_H

#include "tinyml_kernel.h"

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_SIMD32)
#define TINYML_DSP 1
#include <arm_acle.h>
#else
#define TINYML_DSP 0
#endif

#if defined(__ARM_FEATURE_SAT)
#include <arm_acle.h>
#endif

/* Steps of the inner loops written one after another: 1 (small), 4, or 8 (fast). */
#ifndef TINYML_UNROLL
#define TINYML_UNROLL 4
#endif

#if TINYML_UNROLL == 1
#define TINYML_UNROLLED(step) step
#elif TINYML_UNROLL == 4
#define TINYML_UNROLLED(step) step step step step
#elif TINYML_UNROLL == 8
#define TINYML_UNROLLED(step) step step step step step step step step
#else
#error "TINYML_UNROLL is 1, 4 or 8"
#endif

/* Whether loops may be written in assembly: they take every register, which compilers leave free
 * only where they optimise and keep no frame pointer. With -fno-omit-frame-pointer GCC says that an
 * operand has impossible constraints: define this as 0 there, the loops are then C. */
#ifndef TINYML_DSP_ASSEMBLY
#if TINYML_DSP && defined(__GNUC__) && defined(__OPTIMIZE__) && defined(__thumb2__)
#define TINYML_DSP_ASSEMBLY 1
#else
#define TINYML_DSP_ASSEMBLY 0
#endif
#endif

/* The lower and the upper half of a pair. */
TINYML_KERNEL int32_t tinyml_low(int32_t pair) { return (int16_t)(pair & 0xFFFF); }

TINYML_KERNEL int32_t tinyml_high(int32_t pair) { return pair >> 16; }

TINYML_KERNEL int32_t tinyml_pair(int32_t low, int32_t high)
{
  return (int32_t)(((uint32_t)low & 0xFFFFu) | ((uint32_t)high << 16));
}

/* The lower halves of two words, and their upper halves. */
TINYML_KERNEL int32_t tinyml_low_halves(int32_t a, int32_t b)
{
#if TINYML_DSP && defined(__GNUC__)
  int32_t pair;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(pair) : "r"(a), "r"(b));
  return pair;
#else
  return tinyml_pair(a, b);
#endif
}

TINYML_KERNEL int32_t tinyml_high_halves(int32_t a, int32_t b)
{
#if TINYML_DSP && defined(__GNUC__)
  int32_t pair;
  __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(pair) : "r"(b), "r"(a));
  return pair;
#else
  return tinyml_pair(a >> 16, b >> 16);
#endif
}

/* The lower half of a and the upper half of b. */
TINYML_KERNEL int32_t tinyml_low_and_high(int32_t a, int32_t b)
{
#if TINYML_DSP && defined(__GNUC__)
  int32_t pair;
  __asm__("pkhbt %0, %1, %2" : "=r"(pair) : "r"(a), "r"(b));
  return pair;
#else
  return tinyml_pair(a, b >> 16);
#endif
}

/* Four bytes from any address. */
TINYML_KERNEL int32_t tinyml_load_word(const int8_t *bytes)
{
  int32_t word;
  memcpy(&word, bytes, sizeof word);
  return word;
}

/* sum + the products of the lower halves and of the upper halves. */
TINYML_KERNEL int32_t tinyml_smlad(int32_t a, int32_t b, int32_t sum)
{
#if TINYML_DSP
  return __smlad(a, b, sum);
#else
  const int32_t low = tinyml_low(a) * tinyml_low(b);
  const int32_t high = tinyml_high(a) * tinyml_high(b);
  return tinyml_wrapping_add(tinyml_wrapping_add(low, high), sum);
#endif
}

/* sum + lower half of a * upper half of b, and the other way round. */
TINYML_KERNEL int32_t tinyml_smlabt(int32_t a, int32_t b, int32_t sum)
{
#if TINYML_DSP
  return __smlabt(a, b, sum);
#else
  return tinyml_wrapping_add(tinyml_low(a) * tinyml_high(b), sum);
#endif
}

TINYML_KERNEL int32_t tinyml_smlatb(int32_t a, int32_t b, int32_t sum)
{
#if TINYML_DSP
  return __smlatb(a, b, sum);
#else
  return tinyml_wrapping_add(tinyml_high(a) * tinyml_low(b), sum);
#endif
}

/* sum + upper half of a * upper half of b. */
TINYML_KERNEL int32_t tinyml_smlatt(int32_t a, int32_t b, int32_t sum)
{
#if TINYML_DSP
  return __smlatt(a, b, sum);
#else
  return tinyml_wrapping_add(tinyml_high(a) * tinyml_high(b), sum);
#endif
}

/* sum + lower half of a * lower half of b. */
TINYML_KERNEL int32_t tinyml_smlabb(int32_t a, int32_t b, int32_t sum)
{
#if TINYML_DSP
  return __smlabb(a, b, sum);
#else
  return tinyml_wrapping_add(tinyml_low(a) * tinyml_low(b), sum);
#endif
}

/* Bytes 1 and 3 of a word, sign-extended to a pair. */
TINYML_KERNEL int32_t tinyml_sxtb16_odd(int32_t word)
{
#if TINYML_DSP && defined(__GNUC__)
  int32_t pair;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
  return pair;
#else
  return tinyml_pair((int8_t)((word >> 8) & 0xFF), word >> 24);
#endif
}

/* Bytes 0 and 2 of a word, sign-extended to a pair. */
TINYML_KERNEL int32_t tinyml_sxtb16(int32_t word)
{
#if TINYML_DSP
  return __sxtb16(word);
#else
  return tinyml_pair((int8_t)(word & 0xFF), (int8_t)((word >> 16) & 0xFF));
#endif
}

/* Bytes 0 and 2 of a word, zero-extended to a pair. */
TINYML_KERNEL int32_t tinyml_uxtb16(int32_t word)
{
#if TINYML_DSP && defined(__GNUC__)
  int32_t pair;
  __asm__("uxtb16 %0, %1" : "=r"(pair) : "r"(word));
  return pair;
#else
  return word & 0x00FF00FF;
#endif
}

/* A pair plus bytes 0 and 2 of a word, each half by itself. */
TINYML_KERNEL int32_t tinyml_sxtab16(int32_t pair, int32_t word)
{
#if TINYML_DSP
  return __sxtab16(pair, word);
#else
  return tinyml_pair(tinyml_low(pair) + (int8_t)(word & 0xFF),
                     tinyml_high(pair) + (int8_t)((word >> 16) & 0xFF));
#endif
}

/* A pair plus bytes 1 and 3 of a word, each half by itself. */
TINYML_KERNEL int32_t tinyml_sxtab16_odd(int32_t pair, int32_t word)
{
#if TINYML_DSP && defined(__GNUC__)
  int32_t sum;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(sum) : "r"(pair), "r"(word));
  return sum;
#else
  return tinyml_sxtab16(pair, (int32_t)((uint32_t)word >> 8));
#endif
}

/* __ssat of GCC 12 converts signs by itself. */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

/* The nearest int8; one instruction also on Cortex-M3. */
TINYML_KERNEL int32_t tinyml_saturate_s8(int32_t value)
{
#if defined(__ARM_FEATURE_SAT)
  return (int32_t)__ssat(value, 8);
#else
  return tinyml_clamp(value, INT8_MIN, INT8_MAX);
#endif
}

#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

/* a * b >> 32 of 32-bit multiplications: what cores without SMULL have.
 *
 * Source: multiplication by parts, Knuth, "The Art of Computer Programming", volume 2, 4.3.1. */
TINYML_KERNEL int32_t tinyml_high_by_halves(int32_t a, int32_t b)
{
  const int32_t a_low = a & 0xFFFF;
  const int32_t b_low = b & 0xFFFF;
  const int32_t a_high = a >> 16;
  const int32_t b_high = b >> 16;
  const int32_t low = (int32_t)((uint32_t)a_low * (uint32_t)b_low >> 16);
  const int32_t first = a_high * b_low + low;
  const int32_t second = a_low * b_high + (first & 0xFFFF);
  return a_high * b_high + (first >> 16) + (second >> 16);
}

/* sum + (a * b >> 32). */
TINYML_KERNEL int32_t tinyml_smmla(int32_t a, int32_t b, int32_t sum)
{
#if TINYML_DSP && defined(__GNUC__)
  int32_t result;
  __asm__("smmla %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
#elif defined(__ARM_ARCH_6M__)
  return tinyml_wrapping_add(tinyml_high_by_halves(a, b), sum);
#else
  return tinyml_wrapping_add((int32_t)(((int64_t)a * b) >> 32), sum);
#endif
}

#endif
