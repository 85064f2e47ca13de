/* Multiplication of input patches with filters of 4-bit weights: the inner part of convolutions.
 *
 * As patches_s8.h: three patches and two filters at a time. A step of 24 products takes 18
 * instructions, and its weights 4 bytes of flash instead of 8. */
#ifndef TINYML_PATCHES_S4_H
#define TINYML_PATCHES_S4_H

#include "nibbles_s4.h"
#include "patches_plain_s8.h"
#include "patches_s8.h"
#include "tinyml_kernel.h"

/* What is multiplied: three patches with all filters. The loops in assembly know the order.
 *
 * work.filters: two and two, with zeros in place of the last where their number is odd: the bias of
 * the first, and that of the first plus 16 times that of the second; [steps] words; then the other
 * constants of each, see TINYML_REQUANTIZE_SHORT. */
struct tinyml_patch_work_s4 {
  struct tinyml_patch_work work;
  int32_t shift; /* of short requantization: 1 to 20 */
  /* What is taken off the two words at the filters' begin, for each patch and filter. */
  int32_t first_2;
  int32_t second_2;
  int32_t first_0;
  int32_t first_1;
  int32_t second_0;
  int32_t second_1;
};

/* The two sums of a pair of filters, as they are where the weights' 8 have been added. */
TINYML_KERNEL void tinyml_less_s4(struct tinyml_pair_sums sums, int32_t *first, int32_t *second)
{
  const struct tinyml_excess_s4 excess = tinyml_excess_s4(sums);
  *first = excess.first;
  *second = (int32_t)((uint32_t)excess.first + 16u * (uint32_t)excess.second);
}

/* Fills in what the weights' 8 add to the sums of each patch. */
TINYML_SHARED void tinyml_take_off_s4(struct tinyml_patch_work_s4 *work)
{
  struct tinyml_pair_sums sums[TINYML_PATCHES] = {{0, 0}, {0, 0}, {0, 0}};
  for (const int32_t *a = work->work.patches; a != work->work.end; a += TINYML_PATCH_STRIDE) {
    const int32_t *b = a + TINYML_PATCHES;
    sums[0] = tinyml_add_pairs(sums[0], a[0], b[0]);
    sums[1] = tinyml_add_pairs(sums[1], a[1], b[1]);
    sums[2] = tinyml_add_pairs(sums[2], a[2], b[2]);
  }
  tinyml_less_s4(sums[0], &work->first_0, &work->second_0);
  tinyml_less_s4(sums[1], &work->first_1, &work->second_1);
  tinyml_less_s4(sums[2], &work->first_2, &work->second_2);
}

#if TINYML_DSP_ASSEMBLY
/* A step is 68 bytes of code: all but the two narrow LDM are 4. */
enum { TINYML_PATCH_STEP_BYTES_S4 = 68 };

/* Bytes of code that the first turn of the unrolled loop takes: the one that may be shorter. */
TINYML_KERNEL int32_t tinyml_patch_first_turn_s4(int32_t steps)
{
  return ((steps - 1) % TINYML_UNROLL + 1) * TINYML_PATCH_STEP_BYTES_S4;
}

_Static_assert(offsetof(struct tinyml_patch_work_s4, shift) == 32 &&
                   offsetof(struct tinyml_patch_work_s4, first_2) == 36 &&
                   offsetof(struct tinyml_patch_work_s4, second_1) == 56,
               "as the assembly has them");

/* clang-format off: one line an instruction */
/* Both filters' weights and A of the patches; bytes 0 and 2 of the weights and B. */
#define TINYML_PATCH_STEP_S4                                              \
  "ldr r4, [r8], #4\n\t"                                                  \
  "ldmia r0!, {r5, r6, r7}\n\t"                                           \
  "and r3, r4, #0x0F0F0F0F\n\t" TINYML_PATCH_PRODUCTS "uxtb16 r3, r3\n\t" \
  "uxtb16 r4, r4\n\t"                                                     \
  "ldmia r0!, {r5, r6, r7}\n\t" TINYML_PATCH_PRODUCTS

/* All steps of two filters: leaves the sums of the first, and of the second 16 times and apart. */
#define TINYML_PATCH_STEPS_S4                                            \
  "1:\n\t"                                                               \
  "ldr r7, [sp]\n\t"                                                     \
  "ldr r0, [sp, #4]\n\t"                                                 \
  "ldmia r8!, {r3, r4}\n\t"                                              \
  "adds r7, r7, #20\n\t" /* first_2 */                                   \
  "ldmia.w r7, {r1, r2, r9, r10, r11, r12}\n\t"                          \
  "sub r9, r3, r9\n\t"                                                   \
  "sub r10, r3, r10\n\t"                                                 \
  "sub r1, r3, r1\n\t"                                                   \
  "sub r11, r4, r11\n\t"                                                 \
  "sub r12, r4, r12\n\t"                                                 \
  "sub r2, r4, r2\n\t"                                                   \
  "ldr pc, [sp, #8]\n"                                                   \
  "2:\n\t" TINYML_UNROLLED(TINYML_PATCH_STEP_S4) "3:\n\t"                \
                                                 "cmp r0, lr\n\t"        \
                                                 "bne.w 2b\n\t"          \
                                                 "sub r11, r11, r9\n\t"  \
                                                 "sub r12, r12, r10\n\t" \
                                                 "sub r2, r2, r1\n\t"    \
                                                 "asr r11, r11, #4\n\t"  \
                                                 "asr r12, r12, #4\n\t"  \
                                                 "asr r2, r2, #4\n\t"
/* clang-format on */

/* Multiplies by short requantization: 52 instructions for six outputs beside the steps. */
TINYML_ASSEMBLY void tinyml_patches_short_s4(TINYML_READ const struct tinyml_patch_work_s4 *work)
{
  __asm__(TINYML_PATCH_BEGIN TINYML_PATCH_STEPS_S4
          "ldmia r8!, {r3, r4, r5, r6}\n\t" /* factor and offset of both */
          "smmla r9, r9, r3, r4\n\t"
          "smmla r10, r10, r3, r4\n\t"
          "smmla r1, r1, r3, r4\n\t"
          "smmla r11, r11, r5, r6\n\t"
          "smmla r12, r12, r5, r6\n\t"
          "smmla r2, r2, r5, r6\n\t"
          "ldr r7, [sp]\n\t"
          "ldr r0, [r7, #16]\n\t"          /* shift */
          "ldmia r7, {r3, r4, r5, r6}\n\t" /* output, at_1, at_2, output_end */
          "asr r1, r1, r0\n\t"
          "asr r10, r10, r0\n\t"
          "asr r9, r9, r0\n\t"
          "ssat r1, #8, r1\n\t"
          "ssat r10, #8, r10\n\t"
          "ssat r9, #8, r9\n\t"
          "strb r1, [r3, r5]\n\t" /* patch 0 last: a distance of 0 drops the others */
          "strb r10, [r3, r4]\n\t"
          "strb r9, [r3], #1\n\t"
          "cmp r3, r6\n\t"
          "beq 4f\n\t" /* an odd number of filters */
          "asr r2, r2, r0\n\t"
          "asr r12, r12, r0\n\t"
          "asr r11, r11, r0\n\t"
          "ssat r2, #8, r2\n\t"
          "ssat r12, #8, r12\n\t"
          "ssat r11, #8, r11\n\t"
          "strb r2, [r3, r5]\n\t"
          "strb r12, [r3, r4]\n\t"
          "strb r11, [r3], #1\n\t"
          "str r3, [r7]\n\t"
          "cmp r3, r6\n\t"
          "bne.w 1b\n"
          "4:\n\t" TINYML_PATCH_END);
}

/* Sums of two filters; returns where the filters go on. */
TINYML_ASSEMBLY const int32_t *
tinyml_patch_steps_s4(TINYML_READ const struct tinyml_patch_work_s4 *work,
                      TINYML_READ struct tinyml_patch_sums sums[2])
{
  __asm__("push {r1}\n\t" TINYML_PATCH_BEGIN TINYML_PATCH_STEPS_S4
          "ldr r0, [sp, #48]\n\t" /* sums */
          "stmia r0!, {r9, r10}\n\t"
          "stmia r0!, {r1}\n\t"
          "stmia r0!, {r11, r12}\n\t"
          "str r2, [r0]\n\t"
          "mov r0, r8\n\t"
          "add sp, sp, #12\n\t"
          "pop {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
          "add sp, sp, #4\n\t"
          "bx lr");
}
#else
TINYML_KERNEL int32_t tinyml_patch_first_turn_s4(int32_t steps)
{
  (void)steps;
  return 0;
}

/* Sums of two filters; returns where the filters go on. */
TINYML_KERNEL const int32_t *tinyml_patch_steps_s4(const struct tinyml_patch_work_s4 *work,
                                                   struct tinyml_patch_sums sums[2])
{
  const int32_t *filters = work->work.filters;
  struct tinyml_patch_sums first = {
      .s0 = tinyml_wrapping_sub(filters[0], work->first_0),
      .s1 = tinyml_wrapping_sub(filters[0], work->first_1),
      .s2 = tinyml_wrapping_sub(filters[0], work->first_2),
  };
  struct tinyml_patch_sums second = {
      .s0 = tinyml_wrapping_sub(filters[1], work->second_0),
      .s1 = tinyml_wrapping_sub(filters[1], work->second_1),
      .s2 = tinyml_wrapping_sub(filters[1], work->second_2),
  };
  filters += 2;
  for (const int32_t *a = work->work.patches; a != work->work.end; a += TINYML_PATCH_STRIDE) {
    const int32_t *b = a + TINYML_PATCHES;
    const int32_t v1 = *filters++;
    const int32_t v0 = v1 & 0x0F0F0F0F;
    const int32_t w0 = tinyml_uxtb16(v0), w1 = tinyml_uxtb16(v1);
    first.s0 = tinyml_smlad(b[0], w0, tinyml_smlad(a[0], v0, first.s0));
    first.s1 = tinyml_smlad(b[1], w0, tinyml_smlad(a[1], v0, first.s1));
    first.s2 = tinyml_smlad(b[2], w0, tinyml_smlad(a[2], v0, first.s2));
    second.s0 = tinyml_smlad(b[0], w1, tinyml_smlad(a[0], v1, second.s0));
    second.s1 = tinyml_smlad(b[1], w1, tinyml_smlad(a[1], v1, second.s1));
    second.s2 = tinyml_smlad(b[2], w1, tinyml_smlad(a[2], v1, second.s2));
  }
  sums[0] = first;
  sums[1].s0 = tinyml_apart_s4(second.s0, first.s0);
  sums[1].s1 = tinyml_apart_s4(second.s1, first.s1);
  sums[1].s2 = tinyml_apart_s4(second.s2, first.s2);
  return filters;
}
#endif

TINYML_KERNEL void tinyml_patches_times_filters_s4(const struct tinyml_patches_params *params,
                                                   int32_t mode, struct tinyml_patch_work_s4 all)
{
  const int32_t count = tinyml_requantize_constants(mode) - 1;
  const struct tinyml_patches_params local = *params;
  struct tinyml_patch_work *work = &all.work;
  while (work->output != work->output_end) {
    struct tinyml_patch_sums sums[2];
    const int32_t *constants = tinyml_patch_steps_s4(&all, sums);
    tinyml_patch_outputs(&local, mode, sums[0], constants, work);
    if (++work->output == work->output_end) {
      return; /* an odd number of filters */
    }
    tinyml_patch_outputs(&local, mode, sums[1], constants + count, work);
    ++work->output;
    work->filters = constants + 2 * count;
  }
}

#if !TINYML_DSP_ASSEMBLY
TINYML_KERNEL void tinyml_patches_short_s4(const struct tinyml_patch_work_s4 *work)
{
  const struct tinyml_patches_params params = {.shift = work->shift};
  tinyml_patches_times_filters_s4(&params, TINYML_REQUANTIZE_SHORT, *work);
}
#endif

/* All layers share these functions. */
TINYML_SHARED void tinyml_patches_signed_s4(const struct tinyml_patches_params *params,
                                            const struct tinyml_patch_work_s4 *work)
{
  tinyml_patches_times_filters_s4(params, TINYML_REQUANTIZE_SIGNED, *work);
}

TINYML_SHARED void tinyml_patches_clamped_s4(const struct tinyml_patches_params *params,
                                             const struct tinyml_patch_work_s4 *work)
{
  tinyml_patches_times_filters_s4(params, TINYML_REQUANTIZE_CLAMPED, *work);
}

TINYML_SHARED void tinyml_patches_exact_s4(const struct tinyml_patches_params *params,
                                           const struct tinyml_patch_work_s4 *work)
{
  tinyml_patches_times_filters_s4(params, TINYML_REQUANTIZE_EXACT, *work);
}

/* Weight number `index` of a step's word, -8 to 7: f0, g0, f1, g1 and so on from the lowest bits.
 */
TINYML_KERNEL int32_t tinyml_plain_weight_s4(int32_t word, int32_t index)
{
  return (int32_t)((uint32_t)word << (28 - 4 * index)) >> 28;
}

/* The same on cores without DSP instructions; all layers share this function.
 *
 * patches: [steps, 4, TINYML_PATCHES].
 * filters: two and two, with zeros in place of the last where their number is odd: two biases,
 *   [steps] words of tinyml_plain_weight_s4, then the other constants of each. */
TINYML_SHARED void tinyml_plain_patches_s4(const struct tinyml_patches_params *params, int32_t mode,
                                           const int16_t *patches, const int32_t *filters,
                                           int8_t *output, int32_t at_1, int32_t at_2)
{
  const int32_t count = tinyml_requantize_constants(mode) - 1;
  const int16_t *const end = patches + params->steps * 4 * TINYML_PATCHES;
  for (int32_t rest = params->output_c; rest > 0; rest -= 2) {
    struct tinyml_patch_sums first = {0, 0, 0};
    struct tinyml_patch_sums second = {0, 0, 0};
    const int32_t *words = filters + 2;
    for (const int16_t *value = patches; value != end; value += 4 * TINYML_PATCHES) {
      const int32_t word = *words++;
      tinyml_plain_products(&first, &second, value, tinyml_plain_weight_s4(word, 0),
                            tinyml_plain_weight_s4(word, 1));
      tinyml_plain_products(&first, &second, value + TINYML_PATCHES,
                            tinyml_plain_weight_s4(word, 2), tinyml_plain_weight_s4(word, 3));
      tinyml_plain_products(&first, &second, value + 2 * TINYML_PATCHES,
                            tinyml_plain_weight_s4(word, 4), tinyml_plain_weight_s4(word, 5));
      tinyml_plain_products(&first, &second, value + 3 * TINYML_PATCHES,
                            tinyml_plain_weight_s4(word, 6), tinyml_plain_weight_s4(word, 7));
    }
    first = tinyml_plain_sums(first, filters[0]);
    second = tinyml_plain_sums(second, filters[1]);
    tinyml_plain_outputs(params, mode, &first, words, output, at_1, at_2);
    if (rest > 1) {
      tinyml_plain_outputs(params, mode, &second, words + count, output + 1, at_1, at_2);
    }
    filters = words + 2 * count;
    output += 2;
  }
}

#endif
