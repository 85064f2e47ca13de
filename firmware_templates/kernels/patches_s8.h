/* Multiplication of input patches with filters: the inner part of convolutions.
 *
 * Three patches and two filters at a time, four input channels a step. One step multiplies
 * 24 values with 17 instructions, and the filters stay 8 bits wide in flash. It works so:
 *
 * Four input bytes x0..x3 become two pairs, A = (x0 - 127, x2 - 127) and
 * B = (256 x1 + 127 - x0, 256 x3 + 127 - x2): one instruction each. Four weights are one word:
 * V = (256 w0 + w1, 256 w2 + w3), whose bytes 0 and 2 are W = (w1, w3). Then
 *
 *   A*V + B*W = 256 ((x0 - 127) w0 + x1 w1 + (x2 - 127) w2 + x3 w3)
 *
 * so that only one of the two weight pairs has to be unpacked. The 127 are in the bias, and sums
 * are 256 times the true ones, which is the precision that short requantization needs.
 *
 * A step of the patches is six words, the pairs A of all three and then their pairs B: so one
 * instruction loads three. */
#ifndef TINYML_PATCHES_S8_H
#define TINYML_PATCHES_S8_H

#include "dsp.h"
#include "short_requantize.h"
#include "tinyml_kernel.h"

enum {
  TINYML_PATCHES = 3,      /* patches multiplied together */
  TINYML_PATCH_STRIDE = 6, /* words of a step: A of each patch, then B of each */
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
  patch[TINYML_PATCHES] = tinyml_patch_b(word);
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

/* Adds one word of each of three patches; returns where they go on. */
TINYML_KERNEL int32_t *tinyml_patch_three_values(int32_t *patches, int32_t word_0, int32_t word_1,
                                                 int32_t word_2)
{
#if TINYML_DSP_ASSEMBLY
  register int32_t b0 __asm__("r5") = word_0;
  register int32_t b1 __asm__("r6") = word_1;
  register int32_t b2 __asm__("r8") = word_2;
  __asm__ volatile("sxtab16 r2, %[minus_127], %[b0]\n\t"
                   "sxtab16 r3, %[minus_127], %[b1]\n\t"
                   "sxtab16 r4, %[minus_127], %[b2]\n\t"
                   "eor %[b0], %[b0], #0x007F007F\n\t"
                   "eor %[b1], %[b1], #0x007F007F\n\t"
                   "eor %[b2], %[b2], #0x007F007F\n\t"
                   "stmia %[patches]!, {r2, r3, r4, r5, r6, r8}"
                   : [patches] "+r"(patches), [b0] "+r"(b0), [b1] "+r"(b1), [b2] "+r"(b2)
                   : [minus_127] "r"(UINT32_C(0xFF81FF81))
                   : "r2", "r3", "r4", "memory");
#else
  const int32_t words[TINYML_PATCHES] = {word_0, word_1, word_2};
  for (int32_t i = 0; i < TINYML_PATCHES; ++i) {
    patches[i] = tinyml_patch_a(words[i]);
    patches[TINYML_PATCHES + i] = tinyml_patch_b(words[i]);
  }
  patches += TINYML_PATCH_STRIDE;
#endif
  return patches;
}

/* Adds `words` * 4 input bytes to each of three patches; returns where they go on. */
#if TINYML_DSP_ASSEMBLY
#define TINYML_THREE_WORDS      \
  "ldr r7, [r1], #4\n\t"        \
  "ldr r8, [r2], #4\n\t"        \
  "ldr r9, [r3], #4\n\t"        \
  "sxtab16 r4, lr, r7\n\t"      \
  "sxtab16 r5, lr, r8\n\t"      \
  "sxtab16 r6, lr, r9\n\t"      \
  "eor r7, r7, #0x007F007F\n\t" \
  "eor r8, r8, #0x007F007F\n\t" \
  "eor r9, r9, #0x007F007F\n\t" \
  "stmia r0!, {r4, r5, r6, r7, r8, r9}\n\t"

TINYML_ASSEMBLY int32_t *tinyml_patch_three_bytes(TINYML_READ int32_t *patches,
                                                  TINYML_READ const int8_t *bytes_0,
                                                  TINYML_READ const int8_t *bytes_1,
                                                  TINYML_READ const int8_t *bytes_2,
                                                  TINYML_READ int32_t words)
{
  __asm__("push {r4, r5, r6, r7, r8, r9, lr}\n\t"
          "ldr r12, [sp, #28]\n\t"  /* words */
          "mvn lr, #0x007E007E\n\t" /* the pair of -127 twice */
          "tst r12, #1\n\t"
          "add r12, r12, r12, lsl #1\n\t"
          "add r12, r0, r12, lsl #3\n\t" /* where the patches end */
          "bne 2f\n"
          "1:\n\t" TINYML_THREE_WORDS "2:\n\t" TINYML_THREE_WORDS "cmp r0, r12\n\t"
          "bne 1b\n\t"
          "pop {r4, r5, r6, r7, r8, r9, pc}");
}
#else
TINYML_SHARED int32_t *tinyml_patch_three_bytes(int32_t *patches, const int8_t *bytes_0,
                                                const int8_t *bytes_1, const int8_t *bytes_2,
                                                int32_t words)
{
  for (int32_t i = 0; i < words; ++i) {
    patches = tinyml_patch_three_values(patches, tinyml_load_word(bytes_0 + 4 * i),
                                        tinyml_load_word(bytes_1 + 4 * i),
                                        tinyml_load_word(bytes_2 + 4 * i));
  }
  return patches;
}
#endif

/* The same, without a call for few words; `words` is a literal. */
TINYML_KERNEL int32_t *tinyml_patch_three_words(int32_t *patches, const int8_t *bytes_0,
                                                const int8_t *bytes_1, const int8_t *bytes_2,
                                                int32_t words)
{
  if (words > 2) {
    return tinyml_patch_three_bytes(patches, bytes_0, bytes_1, bytes_2, words);
  }
  for (int32_t i = 0; i < words; ++i) {
    patches = tinyml_patch_three_values(patches, tinyml_load_word(bytes_0 + 4 * i),
                                        tinyml_load_word(bytes_1 + 4 * i),
                                        tinyml_load_word(bytes_2 + 4 * i));
  }
  return patches;
}

struct tinyml_patches_params {
  int32_t steps;          /* of four input channels each; 1 and above */
  int32_t output_c;       /* filters */
  int32_t shift;          /* of short requantization: 1 to 20 */
  int32_t output_offset;  /* of exact requantization: the output's zero point */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

/* What is multiplied: three patches with all filters. The loops in assembly know the order. */
struct tinyml_patch_work {
  const int32_t *patches; /* [steps, 2, TINYML_PATCHES] words */
  const int32_t *end;     /* of the patches */
  const int32_t *filters; /* two and two, with zeros in place of the last where their number is odd:
                             two biases, [steps, 2] words, then the other constants of each, see
                             TINYML_REQUANTIZE_SHORT */
  int32_t first_turn;     /* of the loop over steps: bytes of code that it takes */
  int8_t *output;         /* of patch 0 */
  int32_t at_1;           /* distance of the outputs of patches 1 and 2; 0 drops a patch */
  int32_t at_2;
  int8_t *output_end; /* of patch 0 */
};

/* Sums of three patches with one filter. */
struct tinyml_patch_sums {
  int32_t s0;
  int32_t s1;
  int32_t s2;
};

#if TINYML_DSP_ASSEMBLY
/* A step is 64 bytes of code: all but the two narrow LDM are 4. */
enum { TINYML_PATCH_STEP_BYTES = 64 };

/* Bytes of code that the first turn of the unrolled loop takes: the one that may be shorter. The
 * first step of all is made before the loop. */
TINYML_KERNEL int32_t tinyml_patch_first_turn(int32_t steps)
{
  const int32_t left = steps - 1;
  return left == 0 ? 0 : ((left - 1) % TINYML_UNROLL + 1) * TINYML_PATCH_STEP_BYTES;
}

_Static_assert(offsetof(struct tinyml_patch_work, first_turn) == 12 &&
                   offsetof(struct tinyml_patch_work, output) == 16 &&
                   offsetof(struct tinyml_patch_work, output_end) == 28,
               "as the assembly has them");

/* r0: patches, r8: filters, lr: end of the patches; r9, r10, r1 and r11, r12, r2: the sums of the
 * first and of the second filter. */
/* clang-format off: one line an instruction */
#define TINYML_PATCH_PRODUCTS  \
  "smlad r9, r5, r3, r9\n\t"   \
  "smlad r10, r6, r3, r10\n\t" \
  "smlad r1, r7, r3, r1\n\t"   \
  "smlad r11, r5, r4, r11\n\t" \
  "smlad r12, r6, r4, r12\n\t" \
  "smlad r2, r7, r4, r2\n\t"

/* V of both filters, then A of the patches; W and B. */
#define TINYML_PATCH_STEP                                                 \
  "ldrd r3, r4, [r8], #8\n\t"                                             \
  "ldmia r0!, {r5, r6, r7}\n\t" TINYML_PATCH_PRODUCTS "sxtb16 r3, r3\n\t" \
  "sxtb16 r4, r4\n\t"                                                     \
  "ldmia r0!, {r5, r6, r7}\n\t" TINYML_PATCH_PRODUCTS

/* From struct tinyml_patch_work in r0; leaves on the stack: where its outputs are, the patches, and
 * where the first turn of the loop over steps begins. */
#define TINYML_PATCH_BEGIN                          \
  "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t" \
  "ldmia r0!, {r1, r2, r3, r4}\n\t"                 \
  "mov lr, r2\n\t"                                  \
  "mov r8, r3\n\t"                                  \
  "adr.w r2, 3f\n\t"                                \
  "sub r2, r2, r4\n\t"                              \
  "orr r2, r2, #1\n\t" /* Thumb */                  \
  "push {r0, r1, r2}\n"

#define TINYML_PATCH_END \
  "add sp, sp, #12\n\t"  \
  "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}"

/* All steps of two filters. The first one takes the biases, so that they need not be copied. */
#define TINYML_PATCH_STEPS                                                 \
  "1:\n\t"                                                                 \
  "ldr r0, [sp, #4]\n\t"                                                   \
  "ldmia r8!, {r1, r2, r3, r4}\n\t"                                        \
  "ldmia r0!, {r5, r6, r7}\n\t"                                            \
  "smlad r9, r5, r3, r1\n\t"                                               \
  "smlad r10, r6, r3, r1\n\t"                                              \
  "smlad r1, r7, r3, r1\n\t"                                               \
  "smlad r11, r5, r4, r2\n\t"                                              \
  "smlad r12, r6, r4, r2\n\t"                                              \
  "smlad r2, r7, r4, r2\n\t"                                               \
  "sxtb16 r3, r3\n\t"                                                      \
  "sxtb16 r4, r4\n\t"                                                      \
  "ldmia r0!, {r5, r6, r7}\n\t" TINYML_PATCH_PRODUCTS "ldr pc, [sp, #8]\n" \
  "2:\n\t" TINYML_UNROLLED(TINYML_PATCH_STEP) "3:\n\t"                     \
                                              "cmp r0, lr\n\t"             \
                                              "bne 2b\n\t"
/* clang-format on */

/* Short requantization with a literal shift: 28 instructions for six outputs beside the steps. */
#define TINYML_PATCHES_SHORT(shift)                                                      \
  TINYML_ASSEMBLY void tinyml_patches_short_##shift(                                     \
      TINYML_READ const struct tinyml_patch_work *work)                                  \
  {                                                                                      \
    __asm__(TINYML_PATCH_BEGIN TINYML_PATCH_STEPS                                        \
            "ldmia r8!, {r3, r4, r5, r6}\n\t" /* factor and offset of both */            \
            "smmla r9, r9, r3, r4\n\t"                                                   \
            "smmla r10, r10, r3, r4\n\t"                                                 \
            "smmla r1, r1, r3, r4\n\t"                                                   \
            "smmla r11, r11, r5, r6\n\t"                                                 \
            "smmla r12, r12, r5, r6\n\t"                                                 \
            "smmla r2, r2, r5, r6\n\t"                                                   \
            "ldr r7, [sp]\n\t"                                                           \
            "ldmia r7, {r3, r4, r5, r6}\n\t" /* output, at_1, at_2, output_end */        \
            "ssat r1, #8, r1, asr #" #shift "\n\t"                                       \
            "ssat r10, #8, r10, asr #" #shift "\n\t"                                     \
            "ssat r9, #8, r9, asr #" #shift "\n\t"                                       \
            "strb r1, [r3, r5]\n\t" /* patch 0 last: a distance of 0 drops the others */ \
            "strb r10, [r3, r4]\n\t"                                                     \
            "strb r9, [r3], #1\n\t"                                                      \
            "cmp r3, r6\n\t"                                                             \
            "beq 4f\n\t" /* an odd number of filters */                                  \
            "ssat r2, #8, r2, asr #" #shift "\n\t"                                       \
            "ssat r12, #8, r12, asr #" #shift "\n\t"                                     \
            "ssat r11, #8, r11, asr #" #shift "\n\t"                                     \
            "strb r2, [r3, r5]\n\t"                                                      \
            "strb r12, [r3, r4]\n\t"                                                     \
            "strb r11, [r3], #1\n\t"                                                     \
            "str r3, [r7]\n\t"                                                           \
            "cmp r3, r6\n\t"                                                             \
            "bne 1b\n"                                                                   \
            "4:\n\t" TINYML_PATCH_END);                                                  \
  }

/* Those that no layer needs are not compiled into a program. */
TINYML_PATCHES_SHORT(1)
TINYML_PATCHES_SHORT(2)
TINYML_PATCHES_SHORT(3)
TINYML_PATCHES_SHORT(4)
TINYML_PATCHES_SHORT(5)
TINYML_PATCHES_SHORT(6)
TINYML_PATCHES_SHORT(7)
TINYML_PATCHES_SHORT(8)
TINYML_PATCHES_SHORT(9)
TINYML_PATCHES_SHORT(10)
TINYML_PATCHES_SHORT(11)
TINYML_PATCHES_SHORT(12)
TINYML_PATCHES_SHORT(13)
TINYML_PATCHES_SHORT(14)
TINYML_PATCHES_SHORT(15)
TINYML_PATCHES_SHORT(16)
TINYML_PATCHES_SHORT(17)
TINYML_PATCHES_SHORT(18)
TINYML_PATCHES_SHORT(19)
TINYML_PATCHES_SHORT(20)
#undef TINYML_PATCHES_SHORT

#define TINYML_CASE(shift)               \
  case shift:                            \
    tinyml_patches_short_##shift(&work); \
    break

/* Multiplies by short requantization; `shift` is a literal. */
TINYML_KERNEL void tinyml_patches_short(int32_t shift, struct tinyml_patch_work work)
{
  switch (shift) {
    TINYML_CASE(1);
    TINYML_CASE(2);
    TINYML_CASE(3);
    TINYML_CASE(4);
    TINYML_CASE(5);
    TINYML_CASE(6);
    TINYML_CASE(7);
    TINYML_CASE(8);
    TINYML_CASE(9);
    TINYML_CASE(10);
    TINYML_CASE(11);
    TINYML_CASE(12);
    TINYML_CASE(13);
    TINYML_CASE(14);
    TINYML_CASE(15);
    TINYML_CASE(16);
    TINYML_CASE(17);
    TINYML_CASE(18);
    TINYML_CASE(19);
    TINYML_CASE(20);
  }
}
#undef TINYML_CASE

/* Sums of two filters; returns where the filters go on. */
TINYML_ASSEMBLY const int32_t *tinyml_patch_steps(TINYML_READ const struct tinyml_patch_work *work,
                                                  TINYML_READ struct tinyml_patch_sums sums[2])
{
  __asm__("push {r1}\n\t" TINYML_PATCH_BEGIN TINYML_PATCH_STEPS "ldr r0, [sp, #48]\n\t" /* sums */
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
TINYML_KERNEL int32_t tinyml_patch_first_turn(int32_t steps)
{
  (void)steps;
  return 0;
}

/* Sums of two filters; returns where the filters go on. */
TINYML_KERNEL const int32_t *tinyml_patch_steps(const struct tinyml_patch_work *work,
                                                struct tinyml_patch_sums sums[2])
{
  const int32_t *filters = work->filters;
  struct tinyml_patch_sums first = {filters[0], filters[0], filters[0]};
  struct tinyml_patch_sums second = {filters[1], filters[1], filters[1]};
  filters += 2;
  for (const int32_t *a = work->patches; a != work->end; a += TINYML_PATCH_STRIDE) {
    const int32_t *b = a + TINYML_PATCHES;
    const int32_t v0 = *filters++, v1 = *filters++;
    const int32_t w0 = tinyml_sxtb16(v0), w1 = tinyml_sxtb16(v1);
    first.s0 = tinyml_smlad(b[0], w0, tinyml_smlad(a[0], v0, first.s0));
    first.s1 = tinyml_smlad(b[1], w0, tinyml_smlad(a[1], v0, first.s1));
    first.s2 = tinyml_smlad(b[2], w0, tinyml_smlad(a[2], v0, first.s2));
    second.s0 = tinyml_smlad(b[0], w1, tinyml_smlad(a[0], v1, second.s0));
    second.s1 = tinyml_smlad(b[1], w1, tinyml_smlad(a[1], v1, second.s1));
    second.s2 = tinyml_smlad(b[2], w1, tinyml_smlad(a[2], v1, second.s2));
  }
  sums[0] = first;
  sums[1] = second;
  return filters;
}
#endif

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

/* The sums of one filter as outputs; that of patch 0 comes last: a distance of 0 drops the others.
 */
TINYML_KERNEL void tinyml_patch_outputs(const struct tinyml_patches_params *params, int32_t mode,
                                        struct tinyml_patch_sums sums, const int32_t *words,
                                        const struct tinyml_patch_work *work)
{
  const struct tinyml_patch_constants constants = tinyml_patch_constants(words, mode);
  work->output[work->at_2] = (int8_t)tinyml_patch_output(params, mode, sums.s2, constants);
  work->output[work->at_1] = (int8_t)tinyml_patch_output(params, mode, sums.s1, constants);
  work->output[0] = (int8_t)tinyml_patch_output(params, mode, sums.s0, constants);
}

TINYML_KERNEL void tinyml_patches_times_filters(const struct tinyml_patches_params *params,
                                                int32_t mode, struct tinyml_patch_work work)
{
  const int32_t count = tinyml_requantize_constants(mode) - 1;
  const struct tinyml_patches_params local = *params;
  while (work.output != work.output_end) {
    struct tinyml_patch_sums sums[2];
    const int32_t *constants = tinyml_patch_steps(&work, sums);
    tinyml_patch_outputs(&local, mode, sums[0], constants, &work);
    if (++work.output == work.output_end) {
      return; /* an odd number of filters */
    }
    tinyml_patch_outputs(&local, mode, sums[1], constants + count, &work);
    ++work.output;
    work.filters = constants + 2 * count;
  }
}

#if !TINYML_DSP_ASSEMBLY
TINYML_KERNEL void tinyml_patches_short(int32_t shift, struct tinyml_patch_work work)
{
  const struct tinyml_patches_params params = {.shift = shift};
  tinyml_patches_times_filters(&params, TINYML_REQUANTIZE_SHORT, work);
}
#endif

/* All layers share these functions. */
TINYML_SHARED void tinyml_patches_signed(const struct tinyml_patches_params *params,
                                         const struct tinyml_patch_work *work)
{
  tinyml_patches_times_filters(params, TINYML_REQUANTIZE_SIGNED, *work);
}

TINYML_SHARED void tinyml_patches_clamped(const struct tinyml_patches_params *params,
                                          const struct tinyml_patch_work *work)
{
  tinyml_patches_times_filters(params, TINYML_REQUANTIZE_CLAMPED, *work);
}

TINYML_SHARED void tinyml_patches_exact(const struct tinyml_patches_params *params,
                                        const struct tinyml_patch_work *work)
{
  tinyml_patches_times_filters(params, TINYML_REQUANTIZE_EXACT, *work);
}

#endif
