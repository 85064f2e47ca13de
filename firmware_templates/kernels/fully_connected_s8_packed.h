/* FULLY_CONNECTED on int8 for cores with DSP instructions: four outputs at a time.
 *
 * Inputs and weights are paired as patches_s8.h tells: a step multiplies 16 values with 16
 * instructions, and reads the weights as they lie in flash, 8 bits wide. Constants of short
 * requantization are the same for all outputs, or lie behind the weights of each four. */
#ifndef TINYML_FULLY_CONNECTED_S8_PACKED_H
#define TINYML_FULLY_CONNECTED_S8_PACKED_H

#include "dsp.h"
#include "short_requantize.h"
#include "tinyml_kernel.h"

struct tinyml_fully_connected_s8_packed_params {
  int32_t rows;      /* independent input vectors, 1 and above */
  int32_t input_c;   /* length of an input vector, 1 and above */
  int32_t output_c;  /* length of an output vector, 1 and above */
  int32_t by_output; /* 1: each output has constants of its own, and the next four are not used */
  int32_t factor;    /* constants of short requantization, the same for all outputs */
  int32_t offset;
  int32_t below;          /* what is added to negative sums */
  int32_t shift;          /* 1 to 20 */
  int32_t clamps;         /* 0: the activation's range is that of int8; 1: it is less */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

/* What is multiplied: an input vector with some fours of filters. The assembly knows the order. */
struct tinyml_packed_work {
  const int32_t *filters; /* of each four: four biases, [steps, 4] words, and its constants */
  const int8_t *input;
  const int8_t *input_end; /* before the last step's inputs */
  int32_t first_turn;      /* of the loop over steps: bytes of code that it takes */
  int32_t last; /* the last step's inputs; what is multiplied with zeros where they end */
  int32_t factor;
  int32_t offset;
  int32_t below;
  int32_t shift;
  int8_t *output; /* a multiple of four */
  int8_t *output_end;
};

#if TINYML_DSP_ASSEMBLY
/* A step is 62 bytes of code: all but the narrow LDM are 4. */
enum { TINYML_PACKED_STEP_BYTES = 62 };

_Static_assert(offsetof(struct tinyml_packed_work, last) == 16 &&
                   offsetof(struct tinyml_packed_work, output) == 36 &&
                   offsetof(struct tinyml_packed_work, output_end) == 40,
               "as the assembly has them");

/* clang-format off: one line an instruction */
/* r6: four inputs, r1: filters, r12: the pair of -127 twice, r8 to r11: sums. */
#define TINYML_PACKED_PRODUCTS      \
  "ldmia r1!, {r2, r3, r4, r5}\n\t" \
  "eor r7, r6, #0x007F007F\n\t"     \
  "sxtab16 r6, r12, r6\n\t"         \
  "smlad r8, r6, r2, r8\n\t"        \
  "smlad r9, r6, r3, r9\n\t"        \
  "smlad r10, r6, r4, r10\n\t"      \
  "smlad r11, r6, r5, r11\n\t"      \
  "sxtb16 r2, r2\n\t"               \
  "sxtb16 r3, r3\n\t"               \
  "sxtb16 r4, r4\n\t"               \
  "sxtb16 r5, r5\n\t"               \
  "smlad r8, r7, r2, r8\n\t"        \
  "smlad r9, r7, r3, r9\n\t"        \
  "smlad r10, r7, r4, r10\n\t"      \
  "smlad r11, r7, r5, r11\n\t"

#define TINYML_PACKED_STEP "ldr r6, [r0], #4\n\t" TINYML_PACKED_PRODUCTS

/* One output. factor: r2, offset: r3, below: r4, shift: r5, output: r6. */
#define TINYML_PACKED_OUTPUT(sum)      \
  "and r7, r4, " sum ", asr #31\n\t"   \
  "add r7, r7, r3\n\t"                 \
  "smmla " sum ", " sum ", r2, r7\n\t" \
  "asr " sum ", " sum ", r5\n\t"       \
  "ssat " sum ", #8, " sum "\n\t"      \
  "strb " sum ", [r6], #1\n\t"

/* r0: the numbers of the work, from `factor`; r1: behind the weights. */
#define TINYML_PACKED_ALIKE                                                                  \
  "ldmia r0, {r2, r3, r4, r5, r6}\n\t" TINYML_PACKED_OUTPUT("r8") TINYML_PACKED_OUTPUT("r9") \
      TINYML_PACKED_OUTPUT("r10") TINYML_PACKED_OUTPUT("r11")

#define TINYML_PACKED_OWN_OUTPUT(sum) "ldmia r1!, {r2, r3, r4, r5}\n\t" TINYML_PACKED_OUTPUT(sum)

#define TINYML_PACKED_BY_OUTPUT                                                         \
  "ldr r6, [r0, #16]\n\t" TINYML_PACKED_OWN_OUTPUT("r8") TINYML_PACKED_OWN_OUTPUT("r9") \
      TINYML_PACKED_OWN_OUTPUT("r10") TINYML_PACKED_OWN_OUTPUT("r11")

#define TINYML_PACKED_FOURS(outputs)                                                              \
  "push {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"                                               \
  "ldmia r0!, {r1, r2, r3, r4, r5}\n\t"                                                           \
  "mov lr, r3\n\t"                                                                                \
  "adr.w r3, 3f\n\t"                                                                              \
  "sub r3, r3, r4\n\t"                                                                            \
  "orr r3, r3, #1\n\t"        /* Thumb */                                                         \
  "push {r0, r2, r3, r5}\n\t" /* the numbers, input, first turn, last inputs */                   \
  "mvn r12, #0x007E007E\n"                                                                        \
  "1:\n\t"                                                                                        \
  "ldmia r1!, {r8, r9, r10, r11}\n\t" /* biases */                                                \
  "ldr r0, [sp, #4]\n\t"                                                                          \
  "ldr pc, [sp, #8]\n"                                                                            \
  "2:\n\t" TINYML_UNROLLED(TINYML_PACKED_STEP) "3:\n\t"                                           \
                                               "cmp r0, lr\n\t"                                   \
                                               "bne 2b\n\t"                                       \
                                               "ldr r6, [sp, #12]\n\t" TINYML_PACKED_PRODUCTS     \
                                               "ldr r0, [sp]\n\t" outputs "ldr r7, [r0, #20]\n\t" \
                                               "str r6, [r0, #16]\n\t"                            \
                                               "cmp r6, r7\n\t"                                   \
                                               "bne 1b\n\t"                                       \
                                               "add sp, sp, #16\n\t"                              \
                                               "pop {r4, r5, r6, r7, r8, r9, r10, r11, pc}"

/* 34 instructions for four outputs beside the steps. All layers share this function. */
TINYML_ASSEMBLY void tinyml_packed_fours(TINYML_READ const struct tinyml_packed_work *work)
{
  __asm__(TINYML_PACKED_FOURS(TINYML_PACKED_ALIKE));
}

/* 38 instructions. All layers with constants by output share this one. */
TINYML_ASSEMBLY void
tinyml_packed_fours_by_output(TINYML_READ const struct tinyml_packed_work *work)
{
  __asm__(TINYML_PACKED_FOURS(TINYML_PACKED_BY_OUTPUT));
}
/* clang-format on */

TINYML_KERNEL int32_t tinyml_packed_first_turn(int32_t steps)
{
  const int32_t left = steps - 1;
  return left == 0 ? 0 : ((left - 1) % TINYML_UNROLL + 1) * TINYML_PACKED_STEP_BYTES;
}
#else
TINYML_KERNEL int32_t tinyml_packed_first_turn(int32_t steps)
{
  (void)steps;
  return 0;
}

/* Adds one step: four inputs of four outputs. */
TINYML_KERNEL const int32_t *tinyml_packed_step(int32_t sums[4], int32_t word,
                                                const int32_t *weights)
{
  const int32_t a = tinyml_sxtab16((int32_t)UINT32_C(0xFF81FF81), word);
  const int32_t b = word ^ 0x007F007F;
  for (int32_t i = 0; i < 4; ++i) {
    sums[i] = tinyml_smlad(b, tinyml_sxtb16(weights[i]), tinyml_smlad(a, weights[i], sums[i]));
  }
  return weights + 4;
}

/* by_output: whether constants lie behind the weights. */
TINYML_KERNEL void tinyml_packed_outputs(const struct tinyml_packed_work *work, int32_t by_output)
{
  const int32_t *filters = work->filters;
  for (int8_t *output = work->output; output != work->output_end; output += 4) {
    int32_t sums[4] = {filters[0], filters[1], filters[2], filters[3]};
    filters += 4;
    for (const int8_t *input = work->input; input != work->input_end; input += 4) {
      filters = tinyml_packed_step(sums, tinyml_load_word(input), filters);
    }
    filters = tinyml_packed_step(sums, work->last, filters);
    for (int32_t i = 0; i < 4; ++i) {
      if (by_output != 0) {
        output[i] = (int8_t)tinyml_signed_requantize(sums[i], filters[0], filters[1], filters[2],
                                                     filters[3]);
        filters += 4;
      } else {
        output[i] = (int8_t)tinyml_signed_requantize(sums[i], work->factor, work->offset,
                                                     work->below, work->shift);
      }
    }
  }
}

/* All layers share this function. */
TINYML_SHARED void tinyml_packed_fours(const struct tinyml_packed_work *work)
{
  tinyml_packed_outputs(work, 0);
}

/* All layers with constants by output share this one. */
TINYML_SHARED void tinyml_packed_fours_by_output(const struct tinyml_packed_work *work)
{
  tinyml_packed_outputs(work, 1);
}
#endif

TINYML_KERNEL void
tinyml_packed_multiply(const struct tinyml_fully_connected_s8_packed_params *params,
                       const struct tinyml_packed_work *work)
{
  if (params->by_output != 0) {
    tinyml_packed_fours_by_output(work);
  } else {
    tinyml_packed_fours(work);
  }
}

/* Clamps values to an activation's range. */
TINYML_SHARED void tinyml_packed_clamp(int8_t *values, int32_t count, int32_t low, int32_t high)
{
  for (int32_t i = 0; i < count; ++i) {
    values[i] = (int8_t)tinyml_clamp(values[i], low, high);
  }
}

/* input: [rows, input_c].
 * filters: of four and four outputs, zeros where there is none: four biases, then [input_c / 4
 *   rounded up, 4] words, zeros where there is no input; with `by_output`, then of each of the four
 *   outputs factor, offset, what is added to negative sums, and shift.
 * output: [rows, output_c]. */
TINYML_KERNEL void
tinyml_fully_connected_s8_packed(const struct tinyml_fully_connected_s8_packed_params *params,
                                 const int8_t *input, const int32_t *filters, int8_t *output)
{
  const int32_t output_c = params->output_c;
  const int32_t steps = (params->input_c + 3) / 4;
  const int32_t whole = output_c / 4 * 4;
  const int32_t words = steps + 1 + (params->by_output != 0 ? 4 : 0); /* of one output */
  struct tinyml_packed_work work = {
      .first_turn = tinyml_packed_first_turn(steps),
      .factor = params->factor,
      .offset = params->offset,
      .below = params->below,
      .shift = params->shift,
  };
  for (int32_t row = 0; row < params->rows; ++row) {
    work.filters = filters;
    work.input = input;
    work.input_end = input + (steps - 1) * 4;
    memcpy(&work.last, work.input_end, (size_t)(params->input_c - (steps - 1) * 4));
    if (whole > 0) {
      work.output = output;
      work.output_end = output + whole;
      tinyml_packed_multiply(params, &work);
    }
    if (whole < output_c) {
      int8_t last[4];
      work.filters = filters + whole * words;
      work.output = last;
      work.output_end = last + 4;
      tinyml_packed_multiply(params, &work);
      memcpy(output + whole, last, (size_t)(output_c - whole));
    }
    if (params->clamps != 0) {
      tinyml_packed_clamp(output, output_c, params->activation_min, params->activation_max);
    }
    input += params->input_c;
    output += output_c;
  }
}

#endif
