/* Sums of products for cores whose multiplication has 32 bits, four sums at a time.
 *
 * One factor of each product is signed and used four times, the other four are unsigned bytes: such
 * a Cortex-M0 loads in one instruction, at a distance of up to 31. */
#ifndef TINYML_BYTE_PRODUCTS_H
#define TINYML_BYTE_PRODUCTS_H

#include "tinyml_kernel.h"

/* Whether the loops are written in assembly: they take all eight lower registers of a Cortex-M0,
 * which compilers do not find by themselves. */
#if TINYML_ASSEMBLY_ALLOWED && defined(__GNUC__) && defined(__OPTIMIZE__) && \
    defined(__ARM_ARCH_6M__)
#define TINYML_BYTE_ASSEMBLY 1
#else
#define TINYML_BYTE_ASSEMBLY 0
#endif

struct tinyml_four_sums {
  int32_t s0;
  int32_t s1;
  int32_t s2;
  int32_t s3;
};

/* Adds the products of one signed value with four bytes. */
TINYML_KERNEL struct tinyml_four_sums tinyml_four_products(struct tinyml_four_sums sums,
                                                           int32_t value, const uint8_t *bytes,
                                                           int32_t step)
{
  sums.s0 += value * bytes[0];
  sums.s1 += value * bytes[step];
  sums.s2 += value * bytes[2 * step];
  sums.s3 += value * bytes[3 * step];
  return sums;
}

#if TINYML_BYTE_ASSEMBLY
#define TINYML_BYTE_PRODUCT(sum, at)   \
  "ldrb %[t], [%[bytes], #" at "]\n\t" \
  "muls %[t], %[x], %[t]\n\t"          \
  "adds %[" sum "], %[" sum "], %[t]\n\t"

/* The value at `value` with the bytes at four distances: 14 instructions. */
#define TINYML_BYTE_PRODUCTS(value, at_0, at_1, at_2, at_3)                             \
  "ldrb %[x], [%[values], #" value "]\n\t"                                              \
  "sxtb %[x], %[x]\n\t" TINYML_BYTE_PRODUCT("s0", at_0) TINYML_BYTE_PRODUCT("s1", at_1) \
      TINYML_BYTE_PRODUCT("s2", at_2) TINYML_BYTE_PRODUCT("s3", at_3)
#endif

/* Adds the products of `count` values with four bytes each: [count, 4].
 *
 * count: a multiple of 4. */
TINYML_KERNEL struct tinyml_four_sums tinyml_sums_of_fours(struct tinyml_four_sums sums,
                                                           const int8_t *values,
                                                           const uint8_t *bytes, int32_t count)
{
  const int8_t *const end = values + count;
#if TINYML_BYTE_ASSEMBLY
  int32_t x, t;
  __asm__ volatile(".syntax unified\n\t"
                   "cmp %[values], %[end]\n\t"
                   "beq 2f\n"
                   "1:\n\t" TINYML_BYTE_PRODUCTS("0", "0", "1", "2", "3") TINYML_BYTE_PRODUCTS(
                       "1", "4", "5", "6", "7") TINYML_BYTE_PRODUCTS("2", "8", "9", "10", "11")
                       TINYML_BYTE_PRODUCTS("3", "12", "13", "14", "15") "adds %[values], #4\n\t"
                                                                         "adds %[bytes], #16\n\t"
                                                                         "cmp %[values], %[end]\n\t"
                                                                         "bne 1b\n"
                                                                         "2:"
                   : [s0] "+l"(sums.s0), [s1] "+l"(sums.s1), [s2] "+l"(sums.s2), [s3] "+l"(sums.s3),
                     [values] "+l"(values), [bytes] "+l"(bytes), [x] "=&l"(x), [t] "=&l"(t)
                   : [end] "h"(end)
                   : "cc", "memory");
#else
  for (; values != end; ++values) {
    sums = tinyml_four_products(sums, *values, bytes, 1);
    bytes += 4;
  }
#endif
  return sums;
}

/* Adds the products of three weights with four windows of a line, `stride` bytes apart: 1 or 2. */
TINYML_KERNEL struct tinyml_four_sums tinyml_sums_of_windows(struct tinyml_four_sums sums,
                                                             const int8_t *values,
                                                             const uint8_t *bytes, int32_t stride)
{
#if TINYML_BYTE_ASSEMBLY
  int32_t x, t;
  if (stride == 1) {
    __asm__ volatile(".syntax unified\n\t" TINYML_BYTE_PRODUCTS("0", "0", "1", "2", "3")
                         TINYML_BYTE_PRODUCTS("1", "1", "2", "3", "4")
                             TINYML_BYTE_PRODUCTS("2", "2", "3", "4", "5")
                     : [s0] "+l"(sums.s0), [s1] "+l"(sums.s1), [s2] "+l"(sums.s2),
                       [s3] "+l"(sums.s3), [x] "=&l"(x), [t] "=&l"(t)
                     : [values] "l"(values), [bytes] "l"(bytes)
                     : "cc", "memory");
  } else {
    __asm__ volatile(".syntax unified\n\t" TINYML_BYTE_PRODUCTS("0", "0", "2", "4", "6")
                         TINYML_BYTE_PRODUCTS("1", "1", "3", "5", "7")
                             TINYML_BYTE_PRODUCTS("2", "2", "4", "6", "8")
                     : [s0] "+l"(sums.s0), [s1] "+l"(sums.s1), [s2] "+l"(sums.s2),
                       [s3] "+l"(sums.s3), [x] "=&l"(x), [t] "=&l"(t)
                     : [values] "l"(values), [bytes] "l"(bytes)
                     : "cc", "memory");
  }
#else
  for (int32_t i = 0; i < 3; ++i) {
    sums = tinyml_four_products(sums, values[i], bytes + i, stride);
  }
#endif
  return sums;
}

#endif
