/* Multiplication of input patches with filters on cores with long multiplication: see
 * lane_products.h.
 *
 * Four patches and two filters at a time: of each value two words, with the first and second patch
 * and with the third and fourth. Four values are a step: 28 instructions for 32 products. */
#ifndef TINYML_PATCHES_LANES_S8_H
#define TINYML_PATCHES_LANES_S8_H

#include "lane_products.h"
#include "patch_places.h"
#include "patches_s8.h"
#include "tinyml_kernel.h"

/* Whether the steps are written in assembly: they take 13 registers, which compilers do not find by
 * themselves. */
#if TINYML_ASSEMBLY_ALLOWED && defined(__GNUC__) && defined(__OPTIMIZE__) && defined(__thumb2__)
#define TINYML_LANE_ASSEMBLY 1
#else
#define TINYML_LANE_ASSEMBLY 0
#endif

/* Sums of one filter with four patches: `first` has those of the first and second patch. */
struct tinyml_lane_sums {
  int64_t first;
  int64_t second;
};

#if TINYML_LANE_ASSEMBLY
#define TINYML_LANE_VALUES(weight_0, weight_1) \
  "ldrd %[x0], %[x1], [%[patches]], #8\n\t"    \
  "ldrsb %[w], [%[weights]" weight_0 "\n\t"    \
  "smlal %Q[s00], %R[s00], %[x0], %[w]\n\t"    \
  "smlal %Q[s01], %R[s01], %[x1], %[w]\n\t"    \
  "ldrsb %[w], [%[weights]" weight_1 "\n\t"    \
  "smlal %Q[s10], %R[s10], %[x0], %[w]\n\t"    \
  "smlal %Q[s11], %R[s11], %[x1], %[w]\n\t"

/* One step; the first load moves on to the next step's weights. */
#define TINYML_LANE_STEP                 \
  TINYML_LANE_VALUES("], #8", ", #-4]")  \
  TINYML_LANE_VALUES(", #-7]", ", #-3]") \
  TINYML_LANE_VALUES(", #-6]", ", #-2]") \
  TINYML_LANE_VALUES(", #-5]", ", #-1]")
#endif

/* Adds `steps` steps to the sums of two filters.
 *
 * patches: [steps, 4, 2] words; weights: [steps, 2, 4]. */
TINYML_KERNEL void tinyml_lane_steps(struct tinyml_lane_sums *filter_0,
                                     struct tinyml_lane_sums *filter_1, const int32_t *patches,
                                     const int8_t *weights, int32_t steps)
{
#if TINYML_LANE_ASSEMBLY
  const struct {
    const int32_t *unrolled;
    const int32_t *all;
  } ends = {.unrolled = patches + (steps & -TINYML_UNROLL) * 8, .all = patches + steps * 8};
  int32_t x0, x1, w;
  __asm__ volatile(
      "ldr %[w], %[unrolled]\n\t"
      "cmp %[patches], %[w]\n\t"
      "beq 2f\n"
      "1:\n\t" TINYML_UNROLLED(TINYML_LANE_STEP) "ldr %[w], %[unrolled]\n\t"
                                                 "cmp %[patches], %[w]\n\t"
                                                 "bne 1b\n"
                                                 "2:\n\t"
                                                 "ldr %[w], %[all]\n\t"
                                                 "cmp %[patches], %[w]\n\t"
                                                 "beq 4f\n"
                                                 "3:\n\t" TINYML_LANE_STEP "ldr %[w], %[all]\n\t"
                                                 "cmp %[patches], %[w]\n\t"
                                                 "bne 3b\n"
                                                 "4:"
      : [s00] "+r"(filter_0->first), [s01] "+r"(filter_0->second), [s10] "+r"(filter_1->first),
        [s11] "+r"(filter_1->second), [patches] "+r"(patches), [weights] "+r"(weights),
        [x0] "=&r"(x0), [x1] "=&r"(x1), [w] "=&r"(w)
      : [unrolled] "m"(ends.unrolled), [all] "m"(ends.all)
      : "cc", "memory");
#else
  for (; steps > 0; --steps) {
    for (int32_t i = 0; i < 4; ++i) {
      filter_0->first = tinyml_lane_product(filter_0->first, patches[0], weights[i]);
      filter_0->second = tinyml_lane_product(filter_0->second, patches[1], weights[i]);
      filter_1->first = tinyml_lane_product(filter_1->first, patches[0], weights[4 + i]);
      filter_1->second = tinyml_lane_product(filter_1->second, patches[1], weights[4 + i]);
      patches += 2;
    }
    weights += 8;
  }
#endif
}

/* The outputs of one filter; that of patch 0 comes last: a distance of 0 drops the others. */
TINYML_KERNEL void tinyml_lane_outputs(const struct tinyml_patches_params *params, int32_t mode,
                                       struct tinyml_lane_sums sums, const int32_t *words,
                                       int8_t *output, struct tinyml_patch_places places)
{
  const struct tinyml_patch_constants constants = tinyml_patch_constants(words, mode);
  output[places.at_3] =
      (int8_t)tinyml_patch_output(params, mode, tinyml_upper_lane(sums.second), constants);
  output[places.at_2] =
      (int8_t)tinyml_patch_output(params, mode, tinyml_lower_lane(sums.second), constants);
  output[places.at_1] =
      (int8_t)tinyml_patch_output(params, mode, tinyml_upper_lane(sums.first), constants);
  output[0] = (int8_t)tinyml_patch_output(params, mode, tinyml_lower_lane(sums.first), constants);
}

/* One output of every filter for up to four patches.
 *
 * patches: [steps, 4, 2] words.
 * filters: two and two, with zeros in place of the last where their number is odd: what the sums
 *   begin with, 64 bits each, the lower word first; [steps, 2] words of four weights each; then the
 *   constants of each, see TINYML_REQUANTIZE_SHORT. */
TINYML_KERNEL void tinyml_lane_patches(const struct tinyml_patches_params *params, int32_t mode,
                                       const int32_t *patches, const int32_t *filters,
                                       int8_t *output, struct tinyml_patch_places places)
{
  const struct tinyml_patches_params local = *params;
  const int32_t count = tinyml_requantize_constants(mode) - 1;
  for (int32_t rest = local.output_c; rest > 0; rest -= 2) {
    int64_t begin[2];
    memcpy(begin, filters, sizeof begin);
    struct tinyml_lane_sums filter_0 = {begin[0], begin[0]};
    struct tinyml_lane_sums filter_1 = {begin[1], begin[1]};
    tinyml_lane_steps(&filter_0, &filter_1, patches, (const int8_t *)(filters + 4), local.steps);
    const int32_t *constants = filters + 4 + local.steps * 2;
    tinyml_lane_outputs(&local, mode, filter_0, constants, output, places);
    if (rest > 1) {
      tinyml_lane_outputs(&local, mode, filter_1, constants + count, output + 1, places);
    }
    filters = constants + 2 * count;
    output += 2;
  }
}

/* All layers share these functions. */
TINYML_SHARED void tinyml_lane_patches_short(const struct tinyml_patches_params *params,
                                             const int32_t *patches, const int32_t *filters,
                                             int8_t *output, struct tinyml_patch_places places)
{
  tinyml_lane_patches(params, TINYML_REQUANTIZE_SHORT, patches, filters, output, places);
}

TINYML_SHARED void tinyml_lane_patches_other(const struct tinyml_patches_params *params,
                                             int32_t mode, const int32_t *patches,
                                             const int32_t *filters, int8_t *output,
                                             struct tinyml_patch_places places)
{
  tinyml_lane_patches(params, mode, patches, filters, output, places);
}

#endif
