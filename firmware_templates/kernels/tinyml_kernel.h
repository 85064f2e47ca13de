/* What every kernel needs: fixed-width types, how a kernel is declared, and clamping.
 *
 * All kernels rely on two's complement integers and on right shifts of negative values being
 * arithmetic; GCC and Clang define both so on every target.
 */
#ifndef TINYML_KERNEL_H
#define TINYML_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A kernel is inlined into the one place that calls it, where all parameters are literals: so the
 * compiler specialises it for the layer. */
#if defined(__GNUC__)
#define TINYML_KERNEL static inline __attribute__((always_inline))
#else
#define TINYML_KERNEL static inline
#endif

/* A function that all layers share: its parameters are read when it runs. */
#if defined(__GNUC__)
#define TINYML_SHARED static __attribute__((noinline, unused))
#else
#define TINYML_SHARED static
#endif

/* The same in assembly from the first instruction to the last, arguments in registers as the
 * calling convention has them: no compiler's choice of registers is in the way. */
#if defined(__clang__)
#define TINYML_ASSEMBLY static __attribute__((naked, noinline, unused))
#elif defined(__GNUC__)
/* noipa: GCC must not conclude from the empty body that the function reads and writes nothing. */
#define TINYML_ASSEMBLY static __attribute__((naked, noipa, unused))
#endif
#if defined(__GNUC__)
#define TINYML_READ __attribute__((unused)) /* a parameter that only the assembly reads */
#endif

/* Where TINYML_DSP_ASSEMBLY is given as 0, see dsp.h, no core's loops are in assembly. */
#if defined(TINYML_DSP_ASSEMBLY)
#define TINYML_ASSEMBLY_ALLOWED TINYML_DSP_ASSEMBLY
#else
#define TINYML_ASSEMBLY_ALLOWED 1
#endif

TINYML_KERNEL int32_t tinyml_min(int32_t a, int32_t b) { return a < b ? a : b; }

TINYML_KERNEL int32_t tinyml_max(int32_t a, int32_t b) { return a > b ? a : b; }

/* The value of [low, high] nearest to `value`; `high` where low > high. */
TINYML_KERNEL int32_t tinyml_clamp(int32_t value, int32_t low, int32_t high)
{
  return tinyml_min(tinyml_max(value, low), high);
}

/* Sum and difference modulo 2^32: the reference's arithmetic where it leaves the range of
 * int32, without the undefined behaviour of signed overflow. */
TINYML_KERNEL int32_t tinyml_wrapping_add(int32_t a, int32_t b)
{
  return (int32_t)((uint32_t)a + (uint32_t)b);
}

TINYML_KERNEL int32_t tinyml_wrapping_sub(int32_t a, int32_t b)
{
  return (int32_t)((uint32_t)a - (uint32_t)b);
}

#endif
