/* Multiplication of input patches with filters on cores without DSP instructions.
 *
 * As patches_s8.h: three patches and two filters at a time, so that five loads serve six products;
 * but patches are plain 16-bit values and filters plain bytes. */
#ifndef TINYML_PATCHES_PLAIN_S8_H
#define TINYML_PATCHES_PLAIN_S8_H

#include "patches_s8.h"
#include "tinyml_kernel.h"

/* Adds `words` * 4 input bytes to a patch; returns where it goes on. */
TINYML_SHARED int16_t *tinyml_plain_patch_bytes(int16_t *patch, const int8_t *bytes, int32_t words)
{
  for (; words > 0; --words) {
    patch[0] = bytes[0];
    patch[TINYML_PATCHES] = bytes[1];
    patch[2 * TINYML_PATCHES] = bytes[2];
    patch[3 * TINYML_PATCHES] = bytes[3];
    bytes += 4;
    patch += 4 * TINYML_PATCHES;
  }
  return patch;
}

/* Adds the products of one value of each patch with one weight of each filter. */
TINYML_KERNEL void tinyml_plain_products(struct tinyml_patch_sums *first,
                                         struct tinyml_patch_sums *second, const int16_t *values,
                                         int32_t weight_1, int32_t weight_2)
{
  const int32_t x0 = values[0];
  const int32_t x1 = values[1];
  const int32_t x2 = values[2];
  first->s0 += x0 * weight_1;
  first->s1 += x1 * weight_1;
  first->s2 += x2 * weight_1;
  second->s0 += x0 * weight_2;
  second->s1 += x1 * weight_2;
  second->s2 += x2 * weight_2;
}

/* Sums of int8 products of one filter, times 256, with its bias. */
TINYML_KERNEL struct tinyml_patch_sums tinyml_plain_sums(struct tinyml_patch_sums products,
                                                         int32_t bias)
{
  const struct tinyml_patch_sums sums = {
      .s0 = (int32_t)((uint32_t)products.s0 * 256u + (uint32_t)bias),
      .s1 = (int32_t)((uint32_t)products.s1 * 256u + (uint32_t)bias),
      .s2 = (int32_t)((uint32_t)products.s2 * 256u + (uint32_t)bias),
  };
  return sums;
}

/* The sums of one filter as outputs; that of patch 0 comes last: a distance of 0 drops the others.
 */
TINYML_SHARED void tinyml_plain_outputs(const struct tinyml_patches_params *params, int32_t mode,
                                        const struct tinyml_patch_sums *sums, const int32_t *words,
                                        int8_t *output, int32_t at_1, int32_t at_2)
{
  const struct tinyml_patch_constants constants = tinyml_patch_constants(words, mode);
  output[at_2] = (int8_t)tinyml_patch_output(params, mode, sums->s2, constants);
  output[at_1] = (int8_t)tinyml_patch_output(params, mode, sums->s1, constants);
  output[0] = (int8_t)tinyml_patch_output(params, mode, sums->s0, constants);
}

/* One output of every filter for up to three patches; all layers share this function.
 *
 * patches: [steps, 4, TINYML_PATCHES].
 * filters: two and two, with zeros in place of the last where their number is odd: two biases,
 *   [steps, 2] words of four weights each, then the other constants of each.
 * at_1, at_2: distance of the outputs of patches 1 and 2; 0 drops a patch. */
TINYML_SHARED void tinyml_plain_patches(const struct tinyml_patches_params *params, int32_t mode,
                                        const int16_t *patches, const int32_t *filters,
                                        int8_t *output, int32_t at_1, int32_t at_2)
{
  const int32_t count = tinyml_requantize_constants(mode) - 1;
  const int32_t values = params->steps * 4 * TINYML_PATCHES;
  for (int32_t rest = params->output_c; rest > 0; rest -= 2) {
    struct tinyml_patch_sums first = {0, 0, 0};
    struct tinyml_patch_sums second = {0, 0, 0};
    const int8_t *weights = (const int8_t *)(filters + 2);
    const int16_t *value = patches;
    const int16_t *const end = patches + values;
    while (value != end) {
      tinyml_plain_products(&first, &second, value, weights[0], weights[4]);
      tinyml_plain_products(&first, &second, value + TINYML_PATCHES, weights[1], weights[5]);
      tinyml_plain_products(&first, &second, value + 2 * TINYML_PATCHES, weights[2], weights[6]);
      tinyml_plain_products(&first, &second, value + 3 * TINYML_PATCHES, weights[3], weights[7]);
      value += 4 * TINYML_PATCHES;
      weights += 8;
    }
    const int32_t *constants = filters + 2 + params->steps * 2;
    first = tinyml_plain_sums(first, filters[0]);
    second = tinyml_plain_sums(second, filters[1]);
    tinyml_plain_outputs(params, mode, &first, constants, output, at_1, at_2);
    if (rest > 1) {
      tinyml_plain_outputs(params, mode, &second, constants + count, output + 1, at_1, at_2);
    }
    filters = constants + 2 * count;
    output += 2;
  }
}

#endif
