/* FULLY_CONNECTED on int8 for cores with DSP instructions: four outputs at a time.
 *
 * Inputs and weights are paired as patches_s8.h tells: a step multiplies 16 values with 17
 * instructions, and reads the weights as they lie in flash, 8 bits wide. */
#ifndef TINYML_FULLY_CONNECTED_S8_PACKED_H
#define TINYML_FULLY_CONNECTED_S8_PACKED_H

#include "dsp.h"
#include "short_requantize.h"
#include "tinyml_kernel.h"

struct tinyml_fully_connected_s8_packed_params {
  int32_t rows;     /* independent input vectors, 1 and above */
  int32_t input_c;  /* length of an input vector, 1 and above */
  int32_t output_c; /* length of an output vector, 1 and above */
  int32_t factor;   /* constants of short requantization, the same for all outputs */
  int32_t offset;
  int32_t below;          /* what is added to negative sums */
  int32_t shift;          /* 1 to 20 */
  int32_t clamps;         /* 0: the activation's range is that of int8; 1: it is less */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

/* Sums of four outputs. */
struct tinyml_packed_sums {
  int32_t s0;
  int32_t s1;
  int32_t s2;
  int32_t s3;
};

#if TINYML_DSP_ASSEMBLY
#define TINYML_PACKED_STEP                  \
  "ldr %[a], [%[input]], #4\n\t"            \
  "ldrd %[v0], %[v1], [%[weights]], #8\n\t" \
  "eor %[b], %[a], #0x007F007F\n\t"         \
  "sxtab16 %[a], %[minus_127], %[a]\n\t"    \
  "smlad %[s0], %[a], %[v0], %[s0]\n\t"     \
  "sxtb16 %[v0], %[v0]\n\t"                 \
  "smlad %[s1], %[a], %[v1], %[s1]\n\t"     \
  "sxtb16 %[v1], %[v1]\n\t"                 \
  "smlad %[s0], %[b], %[v0], %[s0]\n\t"     \
  "smlad %[s1], %[b], %[v1], %[s1]\n\t"     \
  "ldrd %[v0], %[v1], [%[weights]], #8\n\t" \
  "smlad %[s2], %[a], %[v0], %[s2]\n\t"     \
  "sxtb16 %[v0], %[v0]\n\t"                 \
  "smlad %[s3], %[a], %[v1], %[s3]\n\t"     \
  "sxtb16 %[v1], %[v1]\n\t"                 \
  "smlad %[s2], %[b], %[v0], %[s2]\n\t"     \
  "smlad %[s3], %[b], %[v1], %[s3]\n\t"
#endif

enum { TINYML_MINUS_127 = -0x7E007F }; /* the pair of -127 twice */

/* Adds one step: four inputs of four outputs. */
TINYML_KERNEL void tinyml_packed_step(struct tinyml_packed_sums *sums, int32_t word,
                                      const int32_t weights[4])
{
  const int32_t a = tinyml_sxtab16(TINYML_MINUS_127, word);
  const int32_t b = word ^ 0x007F007F;
  sums->s0 = tinyml_smlad(b, tinyml_sxtb16(weights[0]), tinyml_smlad(a, weights[0], sums->s0));
  sums->s1 = tinyml_smlad(b, tinyml_sxtb16(weights[1]), tinyml_smlad(a, weights[1], sums->s1));
  sums->s2 = tinyml_smlad(b, tinyml_sxtb16(weights[2]), tinyml_smlad(a, weights[2], sums->s2));
  sums->s3 = tinyml_smlad(b, tinyml_sxtb16(weights[3]), tinyml_smlad(a, weights[3], sums->s3));
}

/* Adds `steps` steps; returns where the weights go on. */
TINYML_KERNEL const int32_t *tinyml_packed_steps(struct tinyml_packed_sums *sums,
                                                 const int8_t *input, const int32_t *weights,
                                                 int32_t steps)
{
#if TINYML_DSP_ASSEMBLY
  const int32_t *const unrolled = weights + (steps & -TINYML_UNROLL) * 4;
  const int32_t *const end = weights + steps * 4;
  int32_t v0, v1, a, b;
  __asm__ volatile("cmp %[weights], %[unrolled]\n\t"
                   "beq 2f\n"
                   "1:\n\t" TINYML_UNROLLED(TINYML_PACKED_STEP) "cmp %[weights], %[unrolled]\n\t"
                                                                "bne 1b\n"
                                                                "2:\n\t"
                                                                "ldr %[a], %[end]\n\t"
                                                                "cmp %[weights], %[a]\n\t"
                                                                "beq 4f\n"
                                                                "3:\n\t" TINYML_PACKED_STEP
                                                                "ldr %[a], %[end]\n\t"
                                                                "cmp %[weights], %[a]\n\t"
                                                                "bne 3b\n"
                                                                "4:"
                   : [s0] "+r"(sums->s0), [s1] "+r"(sums->s1), [s2] "+r"(sums->s2),
                     [s3] "+r"(sums->s3), [weights] "+r"(weights), [input] "+r"(input),
                     [v0] "=&r"(v0), [v1] "=&r"(v1), [a] "=&r"(a), [b] "=&r"(b)
                   : [unrolled] "r"(unrolled), [minus_127] "r"(TINYML_MINUS_127), [end] "m"(end)
                   : "cc", "memory");
#else
  for (int32_t step = 0; step < steps; ++step) {
    tinyml_packed_step(sums, tinyml_load_word(input), weights);
    input += 4;
    weights += 4;
  }
#endif
  return weights;
}

TINYML_KERNEL int32_t
tinyml_packed_output(const struct tinyml_fully_connected_s8_packed_params *params, int32_t sum)
{
  return tinyml_signed_requantize(sum, params->factor, params->offset, params->below,
                                  params->shift);
}

/* Sums as outputs, clamped where the activation's range is less than that of int8. */
TINYML_KERNEL struct tinyml_packed_sums
tinyml_packed_outputs(const struct tinyml_fully_connected_s8_packed_params *params,
                      struct tinyml_packed_sums sums)
{
  const int32_t low = params->activation_min;
  const int32_t high = params->activation_max;
  sums.s0 = tinyml_packed_output(params, sums.s0);
  sums.s1 = tinyml_packed_output(params, sums.s1);
  sums.s2 = tinyml_packed_output(params, sums.s2);
  sums.s3 = tinyml_packed_output(params, sums.s3);
  if (params->clamps != 0) {
    sums.s0 = tinyml_clamp(sums.s0, low, high);
    sums.s1 = tinyml_clamp(sums.s1, low, high);
    sums.s2 = tinyml_clamp(sums.s2, low, high);
    sums.s3 = tinyml_clamp(sums.s3, low, high);
  }
  return sums;
}

/* All layers share this function.
 *
 * input: [rows, input_c].
 * weights: [output_c / 4 rounded up, input_c / 4 rounded up, 4] words; zeros where there is no
 *   output and no input.
 * bias: [output_c rounded up to a multiple of 4].
 * output: [rows, output_c]. */
TINYML_SHARED void
tinyml_fully_connected_s8_packed(const struct tinyml_fully_connected_s8_packed_params *params,
                                 const int8_t *input, const int32_t *weights, const int32_t *bias,
                                 int8_t *output)
{
  const struct tinyml_fully_connected_s8_packed_params local = *params;
  const int32_t steps = local.input_c / 4;
  const int32_t rest = local.input_c % 4;
  for (int32_t row = 0; row < local.rows; ++row) {
    const int32_t *words = weights;
    /* The last inputs, followed by what is multiplied with zeros. */
    int8_t last[4] = {0, 0, 0, 0};
    memcpy(last, input + 4 * steps, (size_t)rest);
    for (int32_t c = 0; c < local.output_c; c += 4) {
      struct tinyml_packed_sums sums = {bias[c], bias[c + 1], bias[c + 2], bias[c + 3]};
      words = tinyml_packed_steps(&sums, input, words, steps);
      if (rest > 0) {
        tinyml_packed_step(&sums, tinyml_load_word(last), words);
        words += 4;
      }
      const struct tinyml_packed_sums values = tinyml_packed_outputs(&local, sums);
      const int32_t left = local.output_c - c;
      output[0] = (int8_t)values.s0;
      if (left < 4) {
        if (left > 1) {
          output[1] = (int8_t)values.s1;
        }
        if (left > 2) {
          output[2] = (int8_t)values.s2;
        }
        output += left;
        break;
      }
      output[1] = (int8_t)values.s1;
      output[2] = (int8_t)values.s2;
      output[3] = (int8_t)values.s3;
      output += 4;
    }
    input += local.input_c;
  }
}

#endif
