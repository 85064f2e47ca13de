/* Multiplication of input patches with filters on cores whose multiplication has 32 bits.
 *
 * Four patches and one filter at a time, see byte_products.h: of each value the four inputs lie
 * side by side as unsigned bytes, 128 more than they are; what that adds is in the bias. */
#ifndef TINYML_PATCHES_BYTES_S8_H
#define TINYML_PATCHES_BYTES_S8_H

#include "byte_products.h"
#include "patch_places.h"
#include "patches_s8.h"
#include "tinyml_kernel.h"

/* One output of every filter for up to four patches.
 *
 * patches: [steps * 4, 4].
 * filters: of each the bias, [steps] words of four weights, then its other constants, see
 *   TINYML_REQUANTIZE_SHORT. */
TINYML_KERNEL void tinyml_byte_patches(const struct tinyml_patches_params *params, int32_t mode,
                                       const uint8_t *patches, const int32_t *filters,
                                       int8_t *output, struct tinyml_patch_places places)
{
  const struct tinyml_patches_params local = *params;
  const int32_t count = tinyml_requantize_constants(mode) - 1;
  for (int32_t rest = local.output_c; rest > 0; --rest) {
    const int32_t bias = filters[0];
    struct tinyml_four_sums sums = {bias, bias, bias, bias};
    sums = tinyml_sums_of_fours(sums, (const int8_t *)(filters + 1), patches, local.steps * 4);
    filters += 1 + local.steps;
    const struct tinyml_patch_constants constants = tinyml_patch_constants(filters, mode);
    filters += count;
    const int32_t value_3 = tinyml_patch_output(&local, mode, sums.s3 * 256, constants);
    const int32_t value_2 = tinyml_patch_output(&local, mode, sums.s2 * 256, constants);
    const int32_t value_1 = tinyml_patch_output(&local, mode, sums.s1 * 256, constants);
    const int32_t value_0 = tinyml_patch_output(&local, mode, sums.s0 * 256, constants);
    output[places.at_3] = (int8_t)value_3;
    output[places.at_2] = (int8_t)value_2;
    output[places.at_1] = (int8_t)value_1;
    *output++ = (int8_t)value_0;
  }
}

/* All layers share these functions. */
TINYML_SHARED void tinyml_byte_patches_short(const struct tinyml_patches_params *params,
                                             const uint8_t *patches, const int32_t *filters,
                                             int8_t *output, struct tinyml_patch_places places)
{
  tinyml_byte_patches(params, TINYML_REQUANTIZE_SHORT, patches, filters, output, places);
}

TINYML_SHARED void tinyml_byte_patches_other(const struct tinyml_patches_params *params,
                                             int32_t mode, const uint8_t *patches,
                                             const int32_t *filters, int8_t *output,
                                             struct tinyml_patch_places places)
{
  tinyml_byte_patches(params, mode, patches, filters, output, places);
}

#endif
