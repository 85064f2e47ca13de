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

/* What the weights' 8 add to the sums of each of three patches. */
TINYML_SHARED void tinyml_patches_excess_s4(const int32_t *patches, int32_t steps,
                                            struct tinyml_excess_s4 excess[TINYML_PATCHES])
{
  struct tinyml_pair_sums sums[TINYML_PATCHES] = {{0, 0}, {0, 0}, {0, 0}};
  for (; steps > 0; --steps) {
    sums[0] = tinyml_add_pairs(sums[0], patches[0], patches[TINYML_PATCHES]);
    sums[1] = tinyml_add_pairs(sums[1], patches[1], patches[TINYML_PATCHES + 1]);
    sums[2] = tinyml_add_pairs(sums[2], patches[2], patches[TINYML_PATCHES + 2]);
    patches += TINYML_PATCH_STRIDE;
  }
  for (int32_t i = 0; i < TINYML_PATCHES; ++i) {
    excess[i] = tinyml_excess_s4(sums[i]);
  }
}

#if TINYML_DSP_ASSEMBLY
/* One step: 18 instructions, 24 products. */
/* clang-format off: one line an instruction */
#define TINYML_PATCH_PRODUCTS_S4        \
  "smlad %[s00], r4, %[v0], %[s00]\n\t" \
  "smlad %[s01], r5, %[v0], %[s01]\n\t" \
  "smlad %[s02], r6, %[v0], %[s02]\n\t" \
  "smlad %[s10], r4, %[v1], %[s10]\n\t" \
  "smlad %[s11], r5, %[v1], %[s11]\n\t" \
  "smlad %[s12], r6, %[v1], %[s12]\n\t"

#define TINYML_PATCH_STEP_S4                                                             \
  "ldr %[v1], [%[filters]], #4\n\t"                                                      \
  "ldmia %[patches]!, {r4, r5, r6}\n\t"                                                  \
  "and %[v0], %[v1], #0x0F0F0F0F\n\t" TINYML_PATCH_PRODUCTS_S4 "uxtb16 %[v0], %[v0]\n\t" \
  "uxtb16 %[v1], %[v1]\n\t"                                                              \
  "ldmia %[patches]!, {r4, r5, r6}\n\t" TINYML_PATCH_PRODUCTS_S4

/* From one label to the next while `at` is not the end; nothing where it is there already. */
#define TINYML_PATCH_LOOP_S4(begin, behind, end, steps)               \
  "ldr %[v0], %[" end "]\n\t"                                         \
  "cmp %[patches], %[v0]\n\t"                                         \
  "beq " behind "f\n" begin ":\n\t" steps "ldr %[v0], %[" end "]\n\t" \
  "cmp %[patches], %[v0]\n\t"                                         \
  "bne " begin "b\n" behind ":\n\t"
/* clang-format on */
#endif

/* Where steps end: those of the unrolled loop, and all. In memory, as loops need all registers. */
struct tinyml_patch_ends_s4 {
  const int32_t *unrolled;
  const int32_t *all;
};

/* Adds all steps to the sums of two filters; returns where the filters go on.
 *
 * patches: [steps, 2, TINYML_PATCHES] words.
 * filters: [steps] words. */
TINYML_KERNEL const int32_t *tinyml_patch_steps_s4(struct tinyml_patch_sums *first,
                                                   struct tinyml_patch_sums *second,
                                                   const int32_t *patches,
                                                   const struct tinyml_patch_ends_s4 *ends,
                                                   const int32_t *filters)
{
#if TINYML_DSP_ASSEMBLY
  int32_t v0, v1;
  __asm__ volatile(
      TINYML_PATCH_LOOP_S4("1", "2", "unrolled", TINYML_UNROLLED(TINYML_PATCH_STEP_S4))
          TINYML_PATCH_LOOP_S4("3", "4", "all", TINYML_PATCH_STEP_S4)
      : [s00] "+r"(first->s0), [s01] "+r"(first->s1), [s02] "+r"(first->s2), [s10] "+r"(second->s0),
        [s11] "+r"(second->s1), [s12] "+r"(second->s2), [filters] "+r"(filters),
        [patches] "+r"(patches), [v0] "=&r"(v0), [v1] "=&r"(v1)
      : [unrolled] "m"(ends->unrolled), [all] "m"(ends->all)
      : "r4", "r5", "r6", "cc", "memory");
#else
  for (const int32_t *a = patches; a != ends->all; a += TINYML_PATCH_STRIDE) {
    const int32_t *b = a + TINYML_PATCHES;
    const int32_t v1 = *filters++;
    const int32_t v0 = v1 & 0x0F0F0F0F;
    const int32_t w0 = tinyml_uxtb16(v0), w1 = tinyml_uxtb16(v1);
    first->s0 = tinyml_smlad(b[0], w0, tinyml_smlad(a[0], v0, first->s0));
    first->s1 = tinyml_smlad(b[1], w0, tinyml_smlad(a[1], v0, first->s1));
    first->s2 = tinyml_smlad(b[2], w0, tinyml_smlad(a[2], v0, first->s2));
    second->s0 = tinyml_smlad(b[0], w1, tinyml_smlad(a[0], v1, second->s0));
    second->s1 = tinyml_smlad(b[1], w1, tinyml_smlad(a[1], v1, second->s1));
    second->s2 = tinyml_smlad(b[2], w1, tinyml_smlad(a[2], v1, second->s2));
  }
#endif
  return filters;
}

/* The sums of one filter as outputs; that of patch 0 comes last: a distance of 0 drops the others.
 */
TINYML_KERNEL void tinyml_patch_outputs_s4(const struct tinyml_patches_params *params, int32_t mode,
                                           struct tinyml_patch_sums sums, const int32_t *words,
                                           int8_t *output, int32_t at_1, int32_t at_2)
{
  const struct tinyml_patch_constants constants = tinyml_patch_constants(words, mode);
  output[at_2] = (int8_t)tinyml_patch_output(params, mode, sums.s2, constants);
  output[at_1] = (int8_t)tinyml_patch_output(params, mode, sums.s1, constants);
  output[0] = (int8_t)tinyml_patch_output(params, mode, sums.s0, constants);
}

TINYML_KERNEL void tinyml_patches_times_filters_s4(const struct tinyml_patches_params *params,
                                                   int32_t mode, const int32_t *patches,
                                                   const struct tinyml_excess_s4 *excess,
                                                   const int32_t *filters, int8_t *output,
                                                   int32_t at_1, int32_t at_2)
{
  const int32_t count = tinyml_requantize_constants(mode) - 1;
  const struct tinyml_patches_params local = *params;
  const struct tinyml_patch_ends_s4 ends = {
      .unrolled = patches + (local.steps & -TINYML_UNROLL) * TINYML_PATCH_STRIDE,
      .all = patches + local.steps * TINYML_PATCH_STRIDE,
  };
  for (int32_t rest = local.output_c; rest > 0; rest -= 2) {
    struct tinyml_patch_sums first = {
        .s0 = tinyml_first_s4(filters[0], excess[0]),
        .s1 = tinyml_first_s4(filters[0], excess[1]),
        .s2 = tinyml_first_s4(filters[0], excess[2]),
    };
    struct tinyml_patch_sums second = {
        .s0 = tinyml_second_s4(first.s0, filters[1], excess[0]),
        .s1 = tinyml_second_s4(first.s1, filters[1], excess[1]),
        .s2 = tinyml_second_s4(first.s2, filters[1], excess[2]),
    };
    filters = tinyml_patch_steps_s4(&first, &second, patches, &ends, filters + 2);
    second.s0 = tinyml_apart_s4(second.s0, first.s0);
    second.s1 = tinyml_apart_s4(second.s1, first.s1);
    second.s2 = tinyml_apart_s4(second.s2, first.s2);
    tinyml_patch_outputs_s4(&local, mode, first, filters, output, at_1, at_2);
    if (rest > 1) {
      tinyml_patch_outputs_s4(&local, mode, second, filters + count, output + 1, at_1, at_2);
    }
    filters += 2 * count;
    output += 2;
  }
}

/* One output of every filter for up to three patches; all layers share these functions.
 *
 * patches: [steps, 2, TINYML_PATCHES] words.
 * excess: [TINYML_PATCHES].
 * filters: two and two, with zeros in place of the last where their number is odd: two biases,
 *   [steps] words, then the other constants of each, see TINYML_REQUANTIZE_SHORT.
 * at_1, at_2: distance of the outputs of patches 1 and 2; 0 drops a patch. */
TINYML_SHARED void tinyml_patches_short_s4(const struct tinyml_patches_params *params,
                                           const int32_t *patches,
                                           const struct tinyml_excess_s4 *excess,
                                           const int32_t *filters, int8_t *output, int32_t at_1,
                                           int32_t at_2)
{
  tinyml_patches_times_filters_s4(params, TINYML_REQUANTIZE_SHORT, patches, excess, filters, output,
                                  at_1, at_2);
}

TINYML_SHARED void tinyml_patches_signed_s4(const struct tinyml_patches_params *params,
                                            const int32_t *patches,
                                            const struct tinyml_excess_s4 *excess,
                                            const int32_t *filters, int8_t *output, int32_t at_1,
                                            int32_t at_2)
{
  tinyml_patches_times_filters_s4(params, TINYML_REQUANTIZE_SIGNED, patches, excess, filters,
                                  output, at_1, at_2);
}

TINYML_SHARED void tinyml_patches_clamped_s4(const struct tinyml_patches_params *params,
                                             const int32_t *patches,
                                             const struct tinyml_excess_s4 *excess,
                                             const int32_t *filters, int8_t *output, int32_t at_1,
                                             int32_t at_2)
{
  tinyml_patches_times_filters_s4(params, TINYML_REQUANTIZE_CLAMPED, patches, excess, filters,
                                  output, at_1, at_2);
}

TINYML_SHARED void tinyml_patches_exact_s4(const struct tinyml_patches_params *params,
                                           const int32_t *patches,
                                           const struct tinyml_excess_s4 *excess,
                                           const int32_t *filters, int8_t *output, int32_t at_1,
                                           int32_t at_2)
{
  tinyml_patches_times_filters_s4(params, TINYML_REQUANTIZE_EXACT, patches, excess, filters, output,
                                  at_1, at_2);
}

/* Weight number `index` of a step's word, -8 to 7: f0, g0, f1, g1 and so on from the lowest bits.
 */
TINYML_KERNEL int32_t tinyml_plain_weight_s4(int32_t word, int32_t index)
{
  return (int32_t)((uint32_t)word << (28 - 4 * index)) >> 28;
}

/* The same on cores without DSP instructions; all layers share this function.
 *
 * patches: [steps, 4, TINYML_PATCHES]. filters: as above, but words of tinyml_plain_weight_s4. */
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
