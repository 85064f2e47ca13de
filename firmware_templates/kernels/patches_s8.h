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

/* Adds four input bytes to a patch; returns where it goes on. */
TINYML_KERNEL int32_t *tinyml_patch_word(int32_t *patch, const int8_t *bytes)
{
  const int32_t word = tinyml_load_word(bytes);
  patch[0] = tinyml_patch_a(word);
  patch[1] = tinyml_patch_b(word);
  return patch + TINYML_PATCH_STRIDE;
}

/* Adds `words` * 4 input bytes to a patch; returns where it goes on. */
TINYML_SHARED int32_t *tinyml_patch_bytes(int32_t *patch, const int8_t *bytes, int32_t words)
{
  for (; words > 3; words -= 4) {
    patch = tinyml_patch_word(patch, bytes);
    patch = tinyml_patch_word(patch, bytes + 4);
    patch = tinyml_patch_word(patch, bytes + 8);
    patch = tinyml_patch_word(patch, bytes + 12);
    bytes += 16;
  }
  for (; words > 0; --words) {
    patch = tinyml_patch_word(patch, bytes);
    bytes += 4;
  }
  return patch;
}

/* The same, without a call for few words; `words` is a literal. */
TINYML_KERNEL int32_t *tinyml_patch_words(int32_t *patch, const int8_t *bytes, int32_t words)
{
  if (words > 2) {
    return tinyml_patch_bytes(patch, bytes, words);
  }
  for (int32_t i = 0; i < words; ++i) {
    patch = tinyml_patch_word(patch, bytes + 4 * i);
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
#define TINYML_PATCH_STEP                   \
  "ldrd %[v0], %[v1], [%[filters]], #8\n\t" \
  "sxtb16 %[w0], %[v0]\n\t"                 \
  "sxtb16 %[w1], %[v1]\n\t"                 \
  "ldrd %[a], %[b], [%[patches]], #8\n\t"   \
  "smlad %[s00], %[a], %[v0], %[s00]\n\t"   \
  "smlad %[s10], %[a], %[v1], %[s10]\n\t"   \
  "smlad %[s00], %[b], %[w0], %[s00]\n\t"   \
  "smlad %[s10], %[b], %[w1], %[s10]\n\t"   \
  "ldrd %[a], %[b], [%[patches]], #8\n\t"   \
  "smlad %[s01], %[a], %[v0], %[s01]\n\t"   \
  "smlad %[s11], %[a], %[v1], %[s11]\n\t"   \
  "smlad %[s01], %[b], %[w0], %[s01]\n\t"   \
  "smlad %[s11], %[b], %[w1], %[s11]\n\t"   \
  "ldrd %[a], %[b], [%[patches]], #8\n\t"   \
  "smlad %[s02], %[a], %[v0], %[s02]\n\t"   \
  "smlad %[s12], %[a], %[v1], %[s12]\n\t"   \
  "smlad %[s02], %[b], %[w0], %[s02]\n\t"   \
  "smlad %[s12], %[b], %[w1], %[s12]\n\t"
#endif

/* Where steps end: those of the unrolled loop, and all. In memory, as loops need all registers. */
struct tinyml_patch_ends {
  const int32_t *unrolled;
  const int32_t *all;
};

/* Adds all steps to the sums of two filters; returns where the filters go on.
 *
 * patches: [steps, TINYML_PATCHES, 2] words.
 * filters: [steps, 2] words. */
TINYML_KERNEL const int32_t *tinyml_patch_steps(struct tinyml_patch_sums *first,
                                                struct tinyml_patch_sums *second,
                                                const int32_t *patches,
                                                const struct tinyml_patch_ends *ends,
                                                const int32_t *filters)
{
#if TINYML_DSP_ASSEMBLY
  int32_t v0, v1, w0, w1, a, b;
  __asm__ volatile("ldr %[a], %[unrolled]\n\t"
                   "cmp %[patches], %[a]\n\t"
                   "beq 2f\n"
                   "1:\n\t" TINYML_UNROLLED(TINYML_PATCH_STEP) "ldr %[a], %[unrolled]\n\t"
                                                               "cmp %[patches], %[a]\n\t"
                                                               "bne 1b\n"
                                                               "2:\n\t"
                                                               "ldr %[a], %[all]\n\t"
                                                               "cmp %[patches], %[a]\n\t"
                                                               "beq 4f\n"
                                                               "3:\n\t" TINYML_PATCH_STEP
                                                               "ldr %[a], %[all]\n\t"
                                                               "cmp %[patches], %[a]\n\t"
                                                               "bne 3b\n"
                                                               "4:"
                   : [s00] "+r"(first->s0), [s01] "+r"(first->s1), [s02] "+r"(first->s2),
                     [s10] "+r"(second->s0), [s11] "+r"(second->s1), [s12] "+r"(second->s2),
                     [filters] "+r"(filters), [patches] "+r"(patches), [v0] "=&r"(v0),
                     [v1] "=&r"(v1), [w0] "=&r"(w0), [w1] "=&r"(w1), [a] "=&r"(a), [b] "=&r"(b)
                   : [unrolled] "m"(ends->unrolled), [all] "m"(ends->all)
                   : "cc", "memory");
#else
  while (patches != ends->all) {
    const int32_t v0 = *filters++, v1 = *filters++;
    const int32_t w0 = tinyml_sxtb16(v0), w1 = tinyml_sxtb16(v1);
    first->s0 = tinyml_smlad(patches[1], w0, tinyml_smlad(patches[0], v0, first->s0));
    first->s1 = tinyml_smlad(patches[3], w0, tinyml_smlad(patches[2], v0, first->s1));
    first->s2 = tinyml_smlad(patches[5], w0, tinyml_smlad(patches[4], v0, first->s2));
    second->s0 = tinyml_smlad(patches[1], w1, tinyml_smlad(patches[0], v1, second->s0));
    second->s1 = tinyml_smlad(patches[3], w1, tinyml_smlad(patches[2], v1, second->s1));
    second->s2 = tinyml_smlad(patches[5], w1, tinyml_smlad(patches[4], v1, second->s2));
    patches += TINYML_PATCH_STRIDE;
  }
#endif
  return filters;
}

struct tinyml_patches_params {
  int32_t steps;          /* of four input channels each; 1 and above */
  int32_t output_c;       /* filters */
  int32_t shift;          /* of short requantization: 1 to 20 */
  int32_t output_offset;  /* of exact requantization: the output's zero point */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

/* What follows the steps of two filters: the constants of one, see TINYML_REQUANTIZE_SHORT. */
struct tinyml_patch_constants {
  int32_t factor;
  int32_t offset;
  int32_t below;
};

/* One sum as an output. */
TINYML_KERNEL int32_t tinyml_patch_output(const struct tinyml_patches_params *params, int32_t mode,
                                          int32_t sum, struct tinyml_patch_constants constants)
{
  if (mode == TINYML_REQUANTIZE_SHORT) {
    return tinyml_short_requantize(sum, constants.factor, constants.offset, params->shift);
  }
  if (mode != TINYML_REQUANTIZE_EXACT) {
    const int32_t value = tinyml_signed_requantize(sum, constants.factor, constants.offset,
                                                   constants.below, params->shift);
    return mode == TINYML_REQUANTIZE_SIGNED
               ? value
               : tinyml_clamp(value, params->activation_min, params->activation_max);
  }
  return tinyml_requantize_s8(sum >> 8, constants.factor, constants.offset, params->output_offset,
                              params->activation_min, params->activation_max);
}

TINYML_KERNEL struct tinyml_patch_constants tinyml_patch_constants(const int32_t *words,
                                                                   int32_t mode)
{
  const struct tinyml_patch_constants constants = {
      words[0], words[1], tinyml_requantize_constants(mode) > 3 ? words[2] : 0};
  return constants;
}

TINYML_KERNEL void tinyml_patches_times_filters(const struct tinyml_patches_params *params,
                                                int32_t mode, const int32_t *patches,
                                                const int32_t *filters, int8_t *output,
                                                int32_t at_1, int32_t at_2)
{
  const int32_t count = tinyml_requantize_constants(mode) - 1;
  const struct tinyml_patches_params local = *params;
  const struct tinyml_patch_ends ends = {
      .unrolled = patches + (local.steps & -TINYML_UNROLL) * TINYML_PATCH_STRIDE,
      .all = patches + local.steps * TINYML_PATCH_STRIDE,
  };
  for (int32_t rest = local.output_c; rest > 0; rest -= 2) {
    struct tinyml_patch_sums first = {filters[0], filters[0], filters[0]};
    struct tinyml_patch_sums second = {filters[1], filters[1], filters[1]};
    filters = tinyml_patch_steps(&first, &second, patches, &ends, filters + 2);
    const struct tinyml_patch_constants constants_0 = tinyml_patch_constants(filters, mode);
    const int32_t value_00 = tinyml_patch_output(&local, mode, first.s0, constants_0);
    const int32_t value_01 = tinyml_patch_output(&local, mode, first.s1, constants_0);
    const int32_t value_02 = tinyml_patch_output(&local, mode, first.s2, constants_0);
    const struct tinyml_patch_constants constants_1 = tinyml_patch_constants(filters + count, mode);
    const int32_t value_10 = tinyml_patch_output(&local, mode, second.s0, constants_1);
    const int32_t value_11 = tinyml_patch_output(&local, mode, second.s1, constants_1);
    const int32_t value_12 = tinyml_patch_output(&local, mode, second.s2, constants_1);
    filters += 2 * count;
    /* Patch 0 comes last: a distance of 0 drops the others. */
    int8_t *const output_1 = output + at_1;
    int8_t *const output_2 = output + at_2;
    output_2[0] = (int8_t)value_02;
    output_1[0] = (int8_t)value_01;
    output[0] = (int8_t)value_00;
    if (rest > 1) {
      output_2[1] = (int8_t)value_12;
      output_1[1] = (int8_t)value_11;
      output[1] = (int8_t)value_10;
    }
    output += 2;
  }
}

#if TINYML_DSP_ASSEMBLY
/* tinyml_patches_times_filters for short requantization, whole: 47 instructions for six outputs
 * beside the steps. What finds no room in registers is in memory. */
TINYML_KERNEL void tinyml_patches_short_loop(const struct tinyml_patches_params *params,
                                             const int32_t *patches, const int32_t *filters,
                                             int8_t *output, int32_t at_1, int32_t at_2)
{
  struct {
    int32_t at_1; /* LDRD takes both */
    int32_t at_2;
    const int32_t *patches;
    const int32_t *unrolled;
    const int32_t *all;
    int32_t shift;
    int8_t *output;
    int8_t *end;
  } memory = {
      .at_1 = at_1,
      .at_2 = at_2,
      .patches = patches,
      .unrolled = patches + (params->steps & -TINYML_UNROLL) * TINYML_PATCH_STRIDE,
      .all = patches + params->steps * TINYML_PATCH_STRIDE,
      .shift = params->shift,
      .output = output,
      .end = output + params->output_c,
  };
  int32_t s00, s01, s02, s10, s11, s12, v0, v1, w0, w1, a, b;
  __asm__ volatile(
      "1:\n\t"
      "ldrd %[s00], %[s10], [%[filters]], #8\n\t" /* biases */
      "ldr %[patches], %[first]\n\t"
      "ldr %[a], %[unrolled]\n\t"
      "mov %[s01], %[s00]\n\t"
      "mov %[s02], %[s00]\n\t"
      "mov %[s11], %[s10]\n\t"
      "mov %[s12], %[s10]\n\t"
      "cmp %[patches], %[a]\n\t"
      "beq 3f\n"
      "2:\n\t" TINYML_UNROLLED(
          TINYML_PATCH_STEP) "ldr %[a], %[unrolled]\n\t"
                             "cmp %[patches], %[a]\n\t"
                             "bne 2b\n"
                             "3:\n\t"
                             "ldr %[a], %[all]\n\t"
                             "cmp %[patches], %[a]\n\t"
                             "beq 5f\n"
                             "4:\n\t" TINYML_PATCH_STEP "ldr %[a], %[all]\n\t"
                             "cmp %[patches], %[a]\n\t"
                             "bne 4b\n"
                             "5:\n\t"
                             "ldrd %[v0], %[w0], [%[filters]], #8\n\t" /* factor and offset */
                             "ldrd %[v1], %[w1], [%[filters]], #8\n\t"
                             "ldr %[a], %[shift]\n\t"
                             "smmla %[s00], %[s00], %[v0], %[w0]\n\t"
                             "smmla %[s01], %[s01], %[v0], %[w0]\n\t"
                             "smmla %[s02], %[s02], %[v0], %[w0]\n\t"
                             "smmla %[s10], %[s10], %[v1], %[w1]\n\t"
                             "smmla %[s11], %[s11], %[v1], %[w1]\n\t"
                             "smmla %[s12], %[s12], %[v1], %[w1]\n\t"
                             "ldr %[b], %[output]\n\t"
                             "ldrd %[v0], %[v1], %[at]\n\t"
                             "ldr %[w0], %[end]\n\t"
                             "asr %[s02], %[s02], %[a]\n\t"
                             "asr %[s01], %[s01], %[a]\n\t"
                             "asr %[s00], %[s00], %[a]\n\t"
                             "ssat %[s02], #8, %[s02]\n\t"
                             "ssat %[s01], #8, %[s01]\n\t"
                             "ssat %[s00], #8, %[s00]\n\t"
                             "strb %[s02], [%[b], %[v1]]\n\t" /* patch 0 last: a distance of 0 drops
                                                                 the others */
                             "strb %[s01], [%[b], %[v0]]\n\t"
                             "strb %[s00], [%[b]], #1\n\t"
                             "cmp %[b], %[w0]\n\t"
                             "beq 6f\n\t" /* an odd number of filters */
                             "asr %[s12], %[s12], %[a]\n\t"
                             "asr %[s11], %[s11], %[a]\n\t"
                             "asr %[s10], %[s10], %[a]\n\t"
                             "ssat %[s12], #8, %[s12]\n\t"
                             "ssat %[s11], #8, %[s11]\n\t"
                             "ssat %[s10], #8, %[s10]\n\t"
                             "strb %[s12], [%[b], %[v1]]\n\t"
                             "strb %[s11], [%[b], %[v0]]\n\t"
                             "strb %[s10], [%[b]], #1\n\t"
                             "str %[b], %[output]\n\t"
                             "cmp %[b], %[w0]\n\t"
                             "bne 1b\n"
                             "6:"
      : [filters] "+r"(filters), [patches] "=&r"(patches), [s00] "=&r"(s00), [s01] "=&r"(s01),
        [s02] "=&r"(s02), [s10] "=&r"(s10), [s11] "=&r"(s11), [s12] "=&r"(s12), [v0] "=&r"(v0),
        [v1] "=&r"(v1), [w0] "=&r"(w0), [w1] "=&r"(w1), [a] "=&r"(a), [b] "=&r"(b),
        [output] "+m"(memory.output)
      : [at] "m"(memory.at_1), [second] "m"(memory.at_2), [first] "m"(memory.patches),
        [unrolled] "m"(memory.unrolled), [all] "m"(memory.all), [shift] "m"(memory.shift),
        [end] "m"(memory.end)
      : "cc", "memory");
}
#endif

/* One output of every filter for up to three patches; all layers share these functions.
 *
 * patches: [steps, TINYML_PATCHES, 2] words.
 * filters: two and two, with zeros in place of the last where their number is odd: two biases,
 *   [steps, 2] words, then the other constants of each, see TINYML_REQUANTIZE_SHORT.
 * at_1, at_2: distance of the outputs of patches 1 and 2; 0 drops a patch. */
TINYML_SHARED void tinyml_patches_short(const struct tinyml_patches_params *params,
                                        const int32_t *patches, const int32_t *filters,
                                        int8_t *output, int32_t at_1, int32_t at_2)
{
#if TINYML_DSP_ASSEMBLY
  tinyml_patches_short_loop(params, patches, filters, output, at_1, at_2);
#else
  tinyml_patches_times_filters(params, TINYML_REQUANTIZE_SHORT, patches, filters, output, at_1,
                               at_2);
#endif
}

TINYML_SHARED void tinyml_patches_signed(const struct tinyml_patches_params *params,
                                         const int32_t *patches, const int32_t *filters,
                                         int8_t *output, int32_t at_1, int32_t at_2)
{
  tinyml_patches_times_filters(params, TINYML_REQUANTIZE_SIGNED, patches, filters, output, at_1,
                               at_2);
}

TINYML_SHARED void tinyml_patches_clamped(const struct tinyml_patches_params *params,
                                          const int32_t *patches, const int32_t *filters,
                                          int8_t *output, int32_t at_1, int32_t at_2)
{
  tinyml_patches_times_filters(params, TINYML_REQUANTIZE_CLAMPED, patches, filters, output, at_1,
                               at_2);
}

TINYML_SHARED void tinyml_patches_exact(const struct tinyml_patches_params *params,
                                        const int32_t *patches, const int32_t *filters,
                                        int8_t *output, int32_t at_1, int32_t at_2)
{
  tinyml_patches_times_filters(params, TINYML_REQUANTIZE_EXACT, patches, filters, output, at_1,
                               at_2);
}

#endif
