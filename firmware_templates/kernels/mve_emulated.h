/* The vector instructions that the kernels use, in C: for tests on a computer.
 *
 * Names and results are those of Arm's intrinsics; lane 0 is the first in memory. A predicate has
 * one bit a byte. Loads and stores touch the bytes of active lanes only. */
#ifndef TINYML_MVE_EMULATED_H
#define TINYML_MVE_EMULATED_H

#include "tinyml_kernel.h"

typedef struct {
  int8_t lane[16];
} int8x16_t;

typedef struct {
  int16_t lane[8];
} int16x8_t;

typedef struct {
  int32_t lane[4];
} int32x4_t;

typedef struct {
  int32x4_t val[4];
} int32x4x4_t;

typedef uint16_t mve_pred16_t;

TINYML_SHARED int32_t tinyml_saturated(int64_t value, int32_t bits)
{
  const int64_t limit = INT64_C(1) << (bits - 1);
  return (int32_t)(value >= limit ? limit - 1 : value < -limit ? -limit : value);
}

/* Lanes below `count` are active. */
TINYML_SHARED mve_pred16_t vctp8q(uint32_t count)
{
  return (mve_pred16_t)(count >= 16 ? 0xFFFFu : (1u << count) - 1u);
}

TINYML_SHARED int8x16_t vldrbq_s8(const int8_t *from)
{
  int8x16_t result;
  memcpy(result.lane, from, sizeof result.lane);
  return result;
}

/* Inactive lanes become 0. */
TINYML_SHARED int8x16_t vldrbq_z_s8(const int8_t *from, mve_pred16_t active)
{
  int8x16_t result;
  for (int32_t i = 0; i < 16; ++i) {
    result.lane[i] = (int8_t)(((active >> i) & 1) != 0 ? from[i] : 0);
  }
  return result;
}

/* Widened. */
TINYML_SHARED int16x8_t vldrbq_s16(const int8_t *from)
{
  int16x8_t result;
  for (int32_t i = 0; i < 8; ++i) {
    result.lane[i] = from[i];
  }
  return result;
}

TINYML_SHARED int32x4_t vldrwq_s32(const int32_t *from)
{
  int32x4_t result;
  memcpy(result.lane, from, sizeof result.lane);
  return result;
}

/* Lane i of vector k: word 4 * i + k. */
TINYML_SHARED int32x4x4_t vld4q_s32(const int32_t *from)
{
  int32x4x4_t result;
  for (int32_t i = 0; i < 16; ++i) {
    result.val[i % 4].lane[i / 4] = from[i];
  }
  return result;
}

TINYML_SHARED void vstrbq_s8(int8_t *to, int8x16_t value)
{
  memcpy(to, value.lane, sizeof value.lane);
}

TINYML_SHARED void vstrbq_p_s8(int8_t *to, int8x16_t value, mve_pred16_t active)
{
  for (int32_t i = 0; i < 16; ++i) {
    if (((active >> i) & 1) != 0) {
      to[i] = value.lane[i];
    }
  }
}

TINYML_SHARED int8x16_t vdupq_n_s8(int8_t value)
{
  int8x16_t result;
  memset(result.lane, value, sizeof result.lane);
  return result;
}

TINYML_SHARED int16x8_t vdupq_n_s16(int16_t value)
{
  int16x8_t result;
  for (int32_t i = 0; i < 8; ++i) {
    result.lane[i] = value;
  }
  return result;
}

TINYML_SHARED int32x4_t vdupq_n_s32(int32_t value)
{
  int32x4_t result;
  for (int32_t i = 0; i < 4; ++i) {
    result.lane[i] = value;
  }
  return result;
}

/* The sum of all products. */
TINYML_SHARED int32_t vmladavq_s8(int8x16_t a, int8x16_t b)
{
  int32_t sum = 0;
  for (int32_t i = 0; i < 16; ++i) {
    sum += a.lane[i] * b.lane[i];
  }
  return sum;
}

TINYML_SHARED int32_t vmladavaq_s8(int32_t sum, int8x16_t a, int8x16_t b)
{
  return tinyml_wrapping_add(sum, vmladavq_s8(a, b));
}

/* Products of the even lanes, and of the odd lanes. */
TINYML_SHARED int16x8_t vmullbq_int_s8(int8x16_t a, int8x16_t b)
{
  int16x8_t result;
  for (int32_t i = 0; i < 8; ++i) {
    result.lane[i] = (int16_t)(a.lane[2 * i] * b.lane[2 * i]);
  }
  return result;
}

TINYML_SHARED int16x8_t vmulltq_int_s8(int8x16_t a, int8x16_t b)
{
  int16x8_t result;
  for (int32_t i = 0; i < 8; ++i) {
    result.lane[i] = (int16_t)(a.lane[2 * i + 1] * b.lane[2 * i + 1]);
  }
  return result;
}

TINYML_SHARED int16x8_t vaddq_s16(int16x8_t a, int16x8_t b)
{
  for (int32_t i = 0; i < 8; ++i) {
    a.lane[i] = (int16_t)((uint32_t)a.lane[i] + (uint32_t)b.lane[i]);
  }
  return a;
}

TINYML_SHARED int16x8_t vqaddq_n_s16(int16x8_t a, int16_t b)
{
  for (int32_t i = 0; i < 8; ++i) {
    a.lane[i] = (int16_t)tinyml_saturated((int64_t)a.lane[i] + b, 16);
  }
  return a;
}

TINYML_SHARED int32x4_t vaddq_s32(int32x4_t a, int32x4_t b)
{
  for (int32_t i = 0; i < 4; ++i) {
    a.lane[i] = tinyml_wrapping_add(a.lane[i], b.lane[i]);
  }
  return a;
}

TINYML_SHARED int32x4_t vqaddq_s32(int32x4_t a, int32x4_t b)
{
  for (int32_t i = 0; i < 4; ++i) {
    a.lane[i] = tinyml_saturated((int64_t)a.lane[i] + b.lane[i], 32);
  }
  return a;
}

/* The even lanes, and the odd lanes, widened. */
TINYML_SHARED int32x4_t vmovlbq_s16(int16x8_t a)
{
  int32x4_t result;
  for (int32_t i = 0; i < 4; ++i) {
    result.lane[i] = a.lane[2 * i];
  }
  return result;
}

TINYML_SHARED int32x4_t vmovltq_s16(int16x8_t a)
{
  int32x4_t result;
  for (int32_t i = 0; i < 4; ++i) {
    result.lane[i] = a.lane[2 * i + 1];
  }
  return result;
}

/* round(a * b / 2^31), halves towards plus infinity, saturated. */
TINYML_SHARED int32x4_t vqrdmulhq_s32(int32x4_t a, int32x4_t b)
{
  for (int32_t i = 0; i < 4; ++i) {
    const int64_t product = (int64_t)a.lane[i] * b.lane[i];
    a.lane[i] = tinyml_saturated((product + (INT64_C(1) << 30)) >> 31, 32);
  }
  return a;
}

TINYML_SHARED int32x4_t vmulhq_s32(int32x4_t a, int32x4_t b)
{
  for (int32_t i = 0; i < 4; ++i) {
    a.lane[i] = (int32_t)(((int64_t)a.lane[i] * b.lane[i]) >> 32);
  }
  return a;
}

/* Shifted left by the count, or right where that is negative; counts -31 to 31. */
TINYML_SHARED int32x4_t vshlq_s32(int32x4_t a, int32x4_t count)
{
  for (int32_t i = 0; i < 4; ++i) {
    const int32_t n = count.lane[i];
    a.lane[i] = n >= 0 ? (int32_t)((uint32_t)a.lane[i] << n) : a.lane[i] >> -n;
  }
  return a;
}

/* The same, rounded: halves towards plus infinity. */
TINYML_SHARED int32x4_t vrshlq_s32(int32x4_t a, int32x4_t count)
{
  for (int32_t i = 0; i < 4; ++i) {
    const int32_t n = count.lane[i];
    const int64_t half = n < 0 ? INT64_C(1) << (-n - 1) : 0;
    a.lane[i] = n >= 0 ? (int32_t)((uint32_t)a.lane[i] << n) : (int32_t)((a.lane[i] + half) >> -n);
  }
  return a;
}

TINYML_SHARED int32x4_t vshrq_n_s32(int32x4_t a, int32_t count)
{
  for (int32_t i = 0; i < 4; ++i) {
    a.lane[i] >>= count;
  }
  return a;
}

TINYML_SHARED int32x4_t vandq_s32(int32x4_t a, int32x4_t b)
{
  for (int32_t i = 0; i < 4; ++i) {
    a.lane[i] &= b.lane[i];
  }
  return a;
}

/* The same bits, for computers whose lanes lie as the target's do: lowest byte first. */
TINYML_SHARED int16x8_t vreinterpretq_s16_s32(int32x4_t a)
{
  int16x8_t result;
  memcpy(&result, &a, sizeof result);
  return result;
}

TINYML_SHARED int8x16_t vreinterpretq_s8_s16(int16x8_t a)
{
  int8x16_t result;
  memcpy(&result, &a, sizeof result);
  return result;
}

/* Saturated to half the width, into the even lanes, or the odd lanes, of `into`. */
TINYML_SHARED int16x8_t vqmovnbq_s32(int16x8_t into, int32x4_t a)
{
  for (int32_t i = 0; i < 4; ++i) {
    into.lane[2 * i] = (int16_t)tinyml_saturated(a.lane[i], 16);
  }
  return into;
}

TINYML_SHARED int16x8_t vqmovntq_s32(int16x8_t into, int32x4_t a)
{
  for (int32_t i = 0; i < 4; ++i) {
    into.lane[2 * i + 1] = (int16_t)tinyml_saturated(a.lane[i], 16);
  }
  return into;
}

TINYML_SHARED int8x16_t vqmovnbq_s16(int8x16_t into, int16x8_t a)
{
  for (int32_t i = 0; i < 8; ++i) {
    into.lane[2 * i] = (int8_t)tinyml_saturated(a.lane[i], 8);
  }
  return into;
}

TINYML_SHARED int8x16_t vqmovntq_s16(int8x16_t into, int16x8_t a)
{
  for (int32_t i = 0; i < 8; ++i) {
    into.lane[2 * i + 1] = (int8_t)tinyml_saturated(a.lane[i], 8);
  }
  return into;
}

TINYML_SHARED int8x16_t vmaxq_s8(int8x16_t a, int8x16_t b)
{
  for (int32_t i = 0; i < 16; ++i) {
    a.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i];
  }
  return a;
}

TINYML_SHARED int8x16_t vminq_s8(int8x16_t a, int8x16_t b)
{
  for (int32_t i = 0; i < 16; ++i) {
    a.lane[i] = a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i];
  }
  return a;
}

#endif
