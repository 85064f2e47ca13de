/* Multiplication of input patches with filters: the inner part of convolutions.
 *
 * Three patches and two filters at a time, four input channels a step. One step multiplies
 * 24 values with 18 instructions, and the filters stay 8 bits wide in flash. It works so:
 *
 * Four input bytes x0..x3 become two pairs, A = (x0 - 127, x2 - 127) and
 * B = (256 x1 + 127 - x0, 256 x3 + 127 - x2): one instruction each. Four weights are one word:
 * V = (256 w0 + w1, 256 w2 + w3), whose bytes 0 and 2 are W = (w1, w3). Then
 *
 *   A*V + B*W = 256 ((x0 - 127) w0 + x1 w1 + (x2 - 127) w2 + x3 w3)
 *
 * so that only one of the two weight pairs has to be unpacked. The 127 are in the bias, and sums
 * are 256 times the true ones, which is the precision that short requantization needs. */
#ifndef TINYML_PATCHES_S8_H
#define TINYML_PATCHES_S8_H

#include "dsp.h"
#include "short_requantize.h"
#include "tinyml_kernel.h"

enum {
  TINYML_PATCHES = 3,      /* patches multiplied together */
  TINYML_PATCH_STRIDE = 6, /* words from one step of a patch to its next: all three interleaved */
};

/* Pair A of four input bytes. */
TINYML_KERNEL int32_t tinyml_patch_a(int32_t word)
{
  return tinyml_sxtab16((int32_t)UINT32_C(0xFF81FF81), word);
}

/* Pair B of four input bytes. */
TINYML_KERNEL int32_t tinyml_patch_b(int32_t word) { return word ^ 0x007F007F; }

/* Adds `words` * 4 input bytes to a patch; returns where the patch goes on. */
TINYML_KERNEL int32_t *tinyml_patch_bytes(int32_t *patch, const int8_t *bytes, int32_t words)
{
  for (int32_t i = 0; i < words; ++i) {
    const int32_t word = tinyml_load_word(bytes);
    bytes += 4;
    patch[0] = tinyml_patch_a(word);
    patch[1] = tinyml_patch_b(word);
    patch += TINYML_PATCH_STRIDE;
  }
  return patch;
}

/* Sums of three patches with one filter. */
struct tinyml_patch_sums {
  int32_t s0;
  int32_t s1;
  int32_t s2;
};

#if TINYML_DSP_ASSEMBLY
/* One step: 18 instructions, 24 products. */
#define TINYML_PATCH_STEP                       \
  "ldrd %[v0], %[v1], [%[weights]], #8\n\t"     \
  "sxtb16 %[w0], %[v0]\n\t"                     \
  "sxtb16 %[w1], %[v1]\n\t"                     \
  "ldrd %[a], %[b], [%[patches]], #8\n\t"       \
  "smlad %[s00], %[a], %[v0], %[s00]\n\t"       \
  "smlad %[s10], %[a], %[v1], %[s10]\n\t"       \
  "smlad %[s00], %[b], %[w0], %[s00]\n\t"       \
  "smlad %[s10], %[b], %[w1], %[s10]\n\t"       \
  "ldrd %[a], %[b], [%[patches]], #8\n\t"       \
  "smlad %[s01], %[a], %[v0], %[s01]\n\t"       \
  "smlad %[s11], %[a], %[v1], %[s11]\n\t"       \
  "smlad %[s01], %[b], %[w0], %[s01]\n\t"       \
  "smlad %[s11], %[b], %[w1], %[s11]\n\t"       \
  "ldrd %[a], %[b], [%[patches]], #8\n\t"       \
  "smlad %[s02], %[a], %[v0], %[s02]\n\t"       \
  "smlad %[s12], %[a], %[v1], %[s12]\n\t"       \
  "smlad %[s02], %[b], %[w0], %[s02]\n\t"       \
  "smlad %[s12], %[b], %[w1], %[s12]\n\t"
#endif

/* Adds `steps` steps to the sums of two filters; returns where the weights go on.
 *
 * patches: [steps, TINYML_PATCHES, 2] words.
 * weights: [steps, 2] words, aligned to 4. */
TINYML_KERNEL const int8_t *tinyml_patch_steps(struct tinyml_patch_sums *first,
                                               struct tinyml_patch_sums *second,
                                               const int32_t *patches, const int8_t *weights,
                                               int32_t steps)
{
#if TINYML_DSP_ASSEMBLY
  const int8_t *const end4 = weights + (steps & ~3) * 8;
  const int8_t *const end = weights + steps * 8;
  int32_t v0, v1, w0, w1, a, b;
  __asm__ volatile("ldr %[a], %[end4]\n\t"
                   "cmp %[weights], %[a]\n\t"
                   "beq 2f\n"
                   "1:\n\t"
                   TINYML_PATCH_STEP TINYML_PATCH_STEP TINYML_PATCH_STEP TINYML_PATCH_STEP
                   "ldr %[a], %[end4]\n\t"
                   "cmp %[weights], %[a]\n\t"
                   "bne 1b\n"
                   "2:\n\t"
                   "ldr %[a], %[end]\n\t"
                   "cmp %[weights], %[a]\n\t"
                   "beq 4f\n"
                   "3:\n\t"
                   TINYML_PATCH_STEP
                   "ldr %[a], %[end]\n\t"
                   "cmp %[weights], %[a]\n\t"
                   "bne 3b\n"
                   "4:"
                   : [s00] "+r"(first->s0), [s01] "+r"(first->s1), [s02] "+r"(first->s2),
                     [s10] "+r"(second->s0), [s11] "+r"(second->s1), [s12] "+r"(second->s2),
                     [weights] "+r"(weights), [patches] "+r"(patches), [v0] "=&r"(v0),
                     [v1] "=&r"(v1), [w0] "=&r"(w0), [w1] "=&r"(w1), [a] "=&r"(a), [b] "=&r"(b)
                   : [end4] "m"(end4), [end] "m"(end)
                   : "cc", "memory");
#else
  for (int32_t step = 0; step < steps; ++step) {
    const int32_t v0 = tinyml_load_word(weights), v1 = tinyml_load_word(weights + 4);
    const int32_t w0 = tinyml_sxtb16(v0), w1 = tinyml_sxtb16(v1);
    first->s0 = tinyml_smlad(patches[1], w0, tinyml_smlad(patches[0], v0, first->s0));
    first->s1 = tinyml_smlad(patches[3], w0, tinyml_smlad(patches[2], v0, first->s1));
    first->s2 = tinyml_smlad(patches[5], w0, tinyml_smlad(patches[4], v0, first->s2));
    second->s0 = tinyml_smlad(patches[1], w1, tinyml_smlad(patches[0], v1, second->s0));
    second->s1 = tinyml_smlad(patches[3], w1, tinyml_smlad(patches[2], v1, second->s1));
    second->s2 = tinyml_smlad(patches[5], w1, tinyml_smlad(patches[4], v1, second->s2));
    patches += TINYML_PATCH_STRIDE;
    weights += 8;
  }
#endif
  return weights;
}

struct tinyml_patches_params {
  int32_t steps;          /* of four input channels each; 1 and above */
  int32_t output_c;       /* filters */
  int32_t shift;          /* of short requantization: 1 to 20 */
  int32_t output_offset;  /* of exact requantization: the output's zero point */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

/* The constants of one filter that follow its bias. */
struct tinyml_patch_constants {
  int32_t factor;
  int32_t offset;
  int32_t below;
};

/* One sum as an output. */
TINYML_KERNEL int8_t tinyml_patch_output(const struct tinyml_patches_params *params, int32_t mode,
                                         int32_t sum, struct tinyml_patch_constants constants)
{
  if (mode == TINYML_REQUANTIZE_SHORT) {
    return tinyml_short_requantize(sum, constants.factor, constants.offset, params->shift);
  }
  if (mode == TINYML_REQUANTIZE_SIGNED) {
    return tinyml_signed_requantize(sum, constants.factor, constants.offset, constants.below,
                                    params->shift, params->activation_min, params->activation_max);
  }
  return tinyml_requantize_s8(sum >> 8, constants.factor, constants.offset, params->output_offset,
                              params->activation_min, params->activation_max);
}

/* The sums of one filter as outputs; constants: of the filter, the bias first.
 *
 * at_1, at_2: distance of the outputs of patches 1 and 2; that of patch 0 is written last, so that
 * a distance of 0 drops the others. */
TINYML_KERNEL void tinyml_patch_outputs(const struct tinyml_patches_params *params, int32_t mode,
                                        struct tinyml_patch_sums sums, const int32_t *constants,
                                        int8_t *output, int32_t at_1, int32_t at_2)
{
  const struct tinyml_patch_constants local = {
      constants[1], constants[2], mode == TINYML_REQUANTIZE_SIGNED ? constants[3] : 0};
  const int8_t value_0 = tinyml_patch_output(params, mode, sums.s0, local);
  const int8_t value_1 = tinyml_patch_output(params, mode, sums.s1, local);
  output[at_2] = tinyml_patch_output(params, mode, sums.s2, local);
  output[at_1] = value_1;
  output[0] = value_0;
}

TINYML_KERNEL void tinyml_patches_times_filters(const struct tinyml_patches_params *params,
                                                int32_t mode, const int32_t *patches,
                                                const int8_t *weights, const int32_t *constants,
                                                int8_t *output, int32_t at_1, int32_t at_2)
{
  const int32_t stride = mode == TINYML_REQUANTIZE_SIGNED ? 4 : 3;
  const struct tinyml_patches_params local = *params;
  for (int32_t rest = local.output_c; rest > 0; rest -= 2) {
    /* Of an odd number of filters the last comes alone: its weights with zeros beside. */
    const int32_t *next = rest > 1 ? constants + stride : constants;
    struct tinyml_patch_sums first = {constants[0], constants[0], constants[0]};
    struct tinyml_patch_sums second = {next[0], next[0], next[0]};
    weights = tinyml_patch_steps(&first, &second, patches, weights, local.steps);
    if (rest > 1) {
      tinyml_patch_outputs(&local, mode, second, next, output + 1, at_1, at_2);
    }
    tinyml_patch_outputs(&local, mode, first, constants, output, at_1, at_2);
    output += 2;
    constants += 2 * stride;
  }
}

/* One output of every filter for up to three patches; all layers share these functions.
 *
 * patches: [steps, TINYML_PATCHES, 2] words.
 * weights: [output_c / 2 rounded up, steps, 2] words, aligned to 4.
 * constants: [output_c, 3 or 4], see TINYML_REQUANTIZE_SHORT. */
TINYML_SHARED void tinyml_patches_short(const struct tinyml_patches_params *params,
                                        const int32_t *patches, const int8_t *weights,
                                        const int32_t *constants, int8_t *output, int32_t at_1,
                                        int32_t at_2)
{
  tinyml_patches_times_filters(params, TINYML_REQUANTIZE_SHORT, patches, weights, constants, output,
                               at_1, at_2);
}

TINYML_SHARED void tinyml_patches_signed(const struct tinyml_patches_params *params,
                                         const int32_t *patches, const int8_t *weights,
                                         const int32_t *constants, int8_t *output, int32_t at_1,
                                         int32_t at_2)
{
  tinyml_patches_times_filters(params, TINYML_REQUANTIZE_SIGNED, patches, weights, constants,
                               output, at_1, at_2);
}

TINYML_SHARED void tinyml_patches_exact(const struct tinyml_patches_params *params,
                                        const int32_t *patches, const int8_t *weights,
                                        const int32_t *constants, int8_t *output, int32_t at_1,
                                        int32_t at_2)
{
  tinyml_patches_times_filters(params, TINYML_REQUANTIZE_EXACT, patches, weights, constants, output,
                               at_1, at_2);
}

#endif
