/* FULLY_CONNECTED on int8 with 4-bit weights for cores with DSP instructions: four outputs at a
 * time.
 *
 * Weights are unpacked as nibbles_s4.h tells: a step multiplies 16 values with 18 instructions, and
 * reads 8 bytes of flash. */
#ifndef TINYML_FULLY_CONNECTED_S4_PACKED_H
#define TINYML_FULLY_CONNECTED_S4_PACKED_H

#include "dsp.h"
#include "nibbles_s4.h"
#include "short_requantize.h"
#include "tinyml_kernel.h"

struct tinyml_fully_connected_s4_packed_params {
  int32_t rows;     /* independent input vectors, 1 and above */
  int32_t input_c;  /* length of an input vector, 1 and above */
  int32_t output_c; /* length of an output vector, 1 and above */
  int32_t factor;   /* constants of short requantization, the same for all outputs */
  int32_t offset;
  int32_t below;          /* what is added to negative sums */
  int32_t shift;          /* 1 to 20 */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

/* Sums of four outputs: of a first and a second filter, twice. */
struct tinyml_sums_s4 {
  int32_t s0;
  int32_t s1;
  int32_t s2;
  int32_t s3;
};

#if TINYML_DSP_ASSEMBLY
/* One step: 18 instructions, 16 products. */
#define TINYML_PACKED_STEP_S4               \
  "ldr %[a], [%[input]], #4\n\t"            \
  "ldrd %[v0], %[v1], [%[weights]], #8\n\t" \
  "eor %[b], %[a], #0x007F007F\n\t"         \
  "sxtab16 %[a], %[minus_127], %[a]\n\t"    \
  "uxtb16 %[w], %[v0]\n\t"                  \
  "smlad %[s1], %[a], %[v0], %[s1]\n\t"     \
  "and %[v0], %[v0], #0x0F0F0F0F\n\t"       \
  "smlad %[s1], %[b], %[w], %[s1]\n\t"      \
  "uxtb16 %[w], %[v0]\n\t"                  \
  "smlad %[s0], %[a], %[v0], %[s0]\n\t"     \
  "smlad %[s0], %[b], %[w], %[s0]\n\t"      \
  "uxtb16 %[w], %[v1]\n\t"                  \
  "smlad %[s3], %[a], %[v1], %[s3]\n\t"     \
  "and %[v1], %[v1], #0x0F0F0F0F\n\t"       \
  "smlad %[s3], %[b], %[w], %[s3]\n\t"      \
  "uxtb16 %[w], %[v1]\n\t"                  \
  "smlad %[s2], %[a], %[v1], %[s2]\n\t"     \
  "smlad %[s2], %[b], %[w], %[s2]\n\t"
#endif

enum { TINYML_MINUS_127_S4 = -0x7E007F }; /* the pair of -127 twice */

/* Pair A of four inputs. */
TINYML_KERNEL int32_t tinyml_input_a_s4(int32_t word)
{
  return tinyml_sxtab16(TINYML_MINUS_127_S4, word);
}

/* Pair B of four inputs. */
TINYML_KERNEL int32_t tinyml_input_b_s4(int32_t word) { return word ^ 0x007F007F; }

/* Adds one step: four inputs of four outputs. */
TINYML_KERNEL void tinyml_packed_step_s4(struct tinyml_sums_s4 *sums, int32_t word,
                                         const int32_t weights[2])
{
  const int32_t a = tinyml_input_a_s4(word);
  const int32_t b = tinyml_input_b_s4(word);
  const int32_t v0 = weights[0] & 0x0F0F0F0F;
  const int32_t v2 = weights[1] & 0x0F0F0F0F;
  sums->s0 = tinyml_smlad(b, tinyml_uxtb16(v0), tinyml_smlad(a, v0, sums->s0));
  sums->s1 = tinyml_smlad(b, tinyml_uxtb16(weights[0]), tinyml_smlad(a, weights[0], sums->s1));
  sums->s2 = tinyml_smlad(b, tinyml_uxtb16(v2), tinyml_smlad(a, v2, sums->s2));
  sums->s3 = tinyml_smlad(b, tinyml_uxtb16(weights[1]), tinyml_smlad(a, weights[1], sums->s3));
}

/* Adds `steps` steps; returns where the weights go on. */
TINYML_KERNEL const int32_t *tinyml_packed_steps_s4(struct tinyml_sums_s4 *sums,
                                                    const int8_t *input, const int32_t *weights,
                                                    int32_t steps)
{
#if TINYML_DSP_ASSEMBLY
  const int32_t *const unrolled = weights + (steps & -TINYML_UNROLL) * 2;
  const int32_t *const end = weights + steps * 2;
  int32_t v0, v1, w, a, b;
  __asm__ volatile("cmp %[weights], %[unrolled]\n\t"
                   "beq 2f\n"
                   "1:\n\t" TINYML_UNROLLED(TINYML_PACKED_STEP_S4) "cmp %[weights], %[unrolled]\n\t"
                                                                   "bne 1b\n"
                                                                   "2:\n\t"
                                                                   "ldr %[a], %[end]\n\t"
                                                                   "cmp %[weights], %[a]\n\t"
                                                                   "beq 4f\n"
                                                                   "3:\n\t" TINYML_PACKED_STEP_S4
                                                                   "ldr %[a], %[end]\n\t"
                                                                   "cmp %[weights], %[a]\n\t"
                                                                   "bne 3b\n"
                                                                   "4:"
                   : [s0] "+r"(sums->s0), [s1] "+r"(sums->s1), [s2] "+r"(sums->s2),
                     [s3] "+r"(sums->s3), [weights] "+r"(weights), [input] "+r"(input),
                     [v0] "=&r"(v0), [v1] "=&r"(v1), [w] "=&r"(w), [a] "=&r"(a), [b] "=&r"(b)
                   : [unrolled] "r"(unrolled), [minus_127] "r"(TINYML_MINUS_127_S4), [end] "m"(end)
                   : "cc", "memory");
#else
  for (int32_t step = 0; step < steps; ++step) {
    tinyml_packed_step_s4(sums, tinyml_load_word(input), weights);
    input += 4;
    weights += 2;
  }
#endif
  return weights;
}

/* What the weights' 8 add to all sums of an input vector.
 *
 * rest: number of inputs that make no full word. last: these. */
TINYML_KERNEL struct tinyml_excess_s4 tinyml_row_excess_s4(const int8_t *input, int32_t steps,
                                                           int32_t rest, int32_t last)
{
  struct tinyml_pair_sums sums = {0, 0};
  for (int32_t step = 0; step < steps; ++step) {
    const int32_t word = tinyml_load_word(input + 4 * step);
    sums = tinyml_add_pairs(sums, tinyml_input_a_s4(word), tinyml_input_b_s4(word));
  }
  if (rest > 0) {
    sums = tinyml_add_pairs(sums, tinyml_input_a_s4(last), tinyml_input_b_s4(last));
  }
  return tinyml_excess_s4(sums);
}

TINYML_KERNEL int8_t
tinyml_packed_output_s4(const struct tinyml_fully_connected_s4_packed_params *params, int32_t sum)
{
  const int32_t value =
      tinyml_signed_requantize(sum, params->factor, params->offset, params->below, params->shift);
  return (int8_t)tinyml_clamp(value, params->activation_min, params->activation_max);
}

/* All layers share this function.
 *
 * input: [rows, input_c].
 * filters: four and four, with zeros where there is no output: four biases, then
 *   [input_c / 4 rounded up, 2] words, with zeros where there is no input.
 * output: [rows, output_c]. */
TINYML_SHARED void
tinyml_fully_connected_s4_packed(const struct tinyml_fully_connected_s4_packed_params *params,
                                 const int8_t *input, const int32_t *filters, int8_t *output)
{
  const struct tinyml_fully_connected_s4_packed_params local = *params;
  const int32_t steps = local.input_c / 4;
  const int32_t rest = local.input_c % 4;
  for (int32_t row = 0; row < local.rows; ++row) {
    const int32_t *words = filters;
    /* The last inputs, followed by what is multiplied with zeros. */
    int8_t bytes[4] = {0, 0, 0, 0};
    memcpy(bytes, input + 4 * steps, (size_t)rest);
    const int32_t last = tinyml_load_word(bytes);
    const struct tinyml_excess_s4 excess = tinyml_row_excess_s4(input, steps, rest, last);
    for (int32_t c = 0; c < local.output_c; c += 4) {
      const int32_t s0 = tinyml_first_s4(words[0], excess);
      const int32_t s2 = tinyml_first_s4(words[2], excess);
      struct tinyml_sums_s4 sums = {
          .s0 = s0,
          .s1 = tinyml_second_s4(s0, words[1], excess),
          .s2 = s2,
          .s3 = tinyml_second_s4(s2, words[3], excess),
      };
      words = tinyml_packed_steps_s4(&sums, input, words + 4, steps);
      if (rest > 0) {
        tinyml_packed_step_s4(&sums, last, words);
        words += 2;
      }
      const int32_t left = local.output_c - c;
      output[0] = tinyml_packed_output_s4(&local, sums.s0);
      if (left > 1) {
        output[1] = tinyml_packed_output_s4(&local, tinyml_apart_s4(sums.s1, sums.s0));
      }
      if (left > 2) {
        output[2] = tinyml_packed_output_s4(&local, sums.s2);
      }
      if (left > 3) {
        output[3] = tinyml_packed_output_s4(&local, tinyml_apart_s4(sums.s3, sums.s2));
      }
      output += tinyml_min(left, 4);
    }
    input += local.input_c;
  }
}

#endif
