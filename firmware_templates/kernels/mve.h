/* Vector instructions of the M-profile (Helium, MVE) on integers.
 *
 * On cores that have them the compiler's intrinsics; elsewhere the same in C, so that the very
 * kernels of the target also run, and are tested, on a computer. */
#ifndef TINYML_MVE_H
#define TINYML_MVE_H

#include "tinyml_kernel.h"

#if defined(__ARM_FEATURE_MVE)
#define TINYML_MVE 1
#include <arm_mve.h>
#else
#define TINYML_MVE 0
#include "mve_emulated.h"
#endif

/* Whether loops may be written in assembly: they take most registers, which compilers leave free
 * only where they optimise. */
#if TINYML_MVE && defined(__GNUC__) && defined(__OPTIMIZE__)
#define TINYML_MVE_ASSEMBLY 1
#else
#define TINYML_MVE_ASSEMBLY 0
#endif

/* What HIDE names counts as unknown, so that addresses are made from it with short offsets. Loads
 * stay on their side of the others, and the vectors named are computed before it goes on: where
 * compilers gather loads first, or put off additions, vectors are spilled. */
#if TINYML_MVE_ASSEMBLY
#define TINYML_MVE_UNROLL _Pragma("GCC unroll 32")
#define TINYML_MVE_UNROLL_4 _Pragma("GCC unroll 4")
#define TINYML_MVE_HIDE(pointer) __asm__ volatile("" : "+r"(pointer))
#define TINYML_MVE_KEEP_ORDER() __asm__ volatile("" ::: "memory")
#define TINYML_MVE_KEEP_2(a, b) __asm__ volatile("" : "+w"(a), "+w"(b) : : "memory")
#define TINYML_MVE_KEEP_4(a, b, c, d) \
  __asm__ volatile("" : "+w"(a), "+w"(b), "+w"(c), "+w"(d) : : "memory")
#else
#define TINYML_MVE_UNROLL
#define TINYML_MVE_UNROLL_4
#define TINYML_MVE_HIDE(pointer) ((void)0)
#define TINYML_MVE_KEEP_ORDER() ((void)0)
#define TINYML_MVE_KEEP_2(a, b) ((void)0)
#define TINYML_MVE_KEEP_4(a, b, c, d) ((void)0)
#endif

/* Stores the bytes of `values` that `some` names.
 *
 * GCC 12 takes a predicated store for one of all 16 bytes and drops earlier stores to them; so it
 * must not see that nothing reads those in between. */
TINYML_KERNEL void tinyml_mve_store_some(int8_t *to, int8x16_t values, mve_pred16_t some)
{
#if TINYML_MVE
  __asm__ volatile("" ::: "memory");
#endif
  vstrbq_p_s8(to, values, some);
}

/* Copies `bytes` bytes, 0 and above; where the ranges overlap, `to` must lie before `from`. */
TINYML_KERNEL void tinyml_mve_copy(int8_t *to, const int8_t *from, int32_t bytes)
{
  for (; bytes >= 64; bytes -= 64) {
    /* One after the other, as the ranges may overlap. */
    vstrbq_s8(to, vldrbq_s8(from));
    vstrbq_s8(to + 16, vldrbq_s8(from + 16));
    vstrbq_s8(to + 32, vldrbq_s8(from + 32));
    vstrbq_s8(to + 48, vldrbq_s8(from + 48));
    to += 64;
    from += 64;
  }
  for (; bytes >= 16; bytes -= 16) {
    vstrbq_s8(to, vldrbq_s8(from));
    to += 16;
    from += 16;
  }
  if (bytes > 0) {
    const mve_pred16_t rest = vctp8q((uint32_t)bytes);
    tinyml_mve_store_some(to, vldrbq_z_s8(from, rest), rest);
  }
}

/* Sets `bytes` bytes, 0 and above. */
TINYML_KERNEL void tinyml_mve_fill(int8_t *to, int32_t value, int32_t bytes)
{
  const int8x16_t values = vdupq_n_s8((int8_t)value);
  for (; bytes >= 16; bytes -= 16) {
    vstrbq_s8(to, values);
    to += 16;
  }
  if (bytes > 0) {
    tinyml_mve_store_some(to, values, vctp8q((uint32_t)bytes));
  }
}

#endif
