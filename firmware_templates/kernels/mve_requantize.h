/* Requantization of 16 sums at a time, exactly as `tinyml_requantize_s8` does it. */
#ifndef TINYML_MVE_REQUANTIZE_H
#define TINYML_MVE_REQUANTIZE_H

#include "mve.h"
#include "tinyml_kernel.h"

/* How scaled sums are rounded after the multiplication. */
enum {
  TINYML_MVE_ROUND_UP = 0,    /* halves up: where no half can occur below zero, or it is clamped */
  TINYML_MVE_ROUND_AWAY = 1,  /* halves away from zero; all shifts to the right by 1 and more */
  TINYML_MVE_ROUND_EXACT = 2, /* any shifts: a fourth constant shifts left first */
  TINYML_MVE_SHORT = 3 /* ((2^gain * sum * factor >> 32) + offset) >> shift: proven offline to be
                          equal for all sums of the layer, as short_requantize.h has it; without a
                          bias, which is part of the offset, as is the output's zero point */
};

struct tinyml_mve_requantize_params {
  int32_t blocks;   /* constants repeat after so many times 16 outputs */
  int32_t rounding; /* TINYML_MVE_ROUND_UP, AWAY, EXACT or TINYML_MVE_SHORT */
  int32_t output_offset;
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
  int32_t gain;           /* of TINYML_MVE_SHORT: 8 to 14 */
  int32_t shift;          /* of the same: 2 to 20 */
};

/* Words of constants for 16 outputs: for each k of 0 to 3 four of each constant, of the outputs
 * k, k + 4, k + 8 and k + 12: bias, multiplier, minus the shift to the right, shift to the left; or
 * factor and offset. */
TINYML_KERNEL int32_t tinyml_mve_constants_size(const struct tinyml_mve_requantize_params *params)
{
  if (params->rounding == TINYML_MVE_SHORT) {
    return 32;
  }
  return params->rounding == TINYML_MVE_ROUND_EXACT ? 64 : 48;
}

/* The part of the shift that comes with narrowing to 8 bits: at least 1; to 16 bits at most 16. */
TINYML_KERNEL int32_t tinyml_mve_second_shift(const struct tinyml_mve_requantize_params *params)
{
  return tinyml_max(1, params->shift - 16);
}

/* What rounding in both parts of the shift adds. Offsets are less by that: so the shift is that of
 * short_requantize.h, which does not round. VQSHRN would not round either, but binutils 2.40
 * assembles it as VQRSHRN. */
TINYML_KERNEL int32_t tinyml_mve_rounding(const struct tinyml_mve_requantize_params *params)
{
  const int32_t first = params->shift - tinyml_mve_second_shift(params);
  return (1 << (first - 1)) + (1 << (params->shift - 1));
}

/* Four sums, scaled. */
TINYML_KERNEL int32x4_t tinyml_mve_scale(const struct tinyml_mve_requantize_params *params,
                                         int32x4_t sums, const int32_t *constants)
{
  if (params->rounding == TINYML_MVE_SHORT) {
    sums = vmulhq_s32(vshlq_s32(sums, vdupq_n_s32(params->gain)), vldrwq_s32(constants));
    sums = vaddq_s32(sums, vldrwq_s32(constants + 4));
    sums = vaddq_s32(sums, vdupq_n_s32(tinyml_mve_rounding(params)));
    return vshlq_s32(sums, vdupq_n_s32(-params->shift));
  }
  sums = vaddq_s32(sums, vldrwq_s32(constants));
  if (params->rounding == TINYML_MVE_ROUND_EXACT) {
    sums = vshlq_s32(sums, vldrwq_s32(constants + 12));
  }
  sums = vqrdmulhq_s32(sums, vldrwq_s32(constants + 4));
  const int32x4_t right = vldrwq_s32(constants + 8);
  if (params->rounding == TINYML_MVE_ROUND_AWAY) {
    sums = vqaddq_s32(sums, vshrq_n_s32(sums, 31));
  } else if (params->rounding == TINYML_MVE_ROUND_EXACT) {
    sums = vqaddq_s32(sums, vshrq_n_s32(vandq_s32(sums, right), 31));
  }
  return vrshlq_s32(sums, right);
}

#if TINYML_MVE_ASSEMBLY
/* Scales vector `s` with another vector `t`; `at` is where its constants lie. */
#define TINYML_MVE_SCALE(s, t, round, at_bias, at_multiplier, at_shift)                          \
  "vldrw.32 " t ", [%[constants], #" at_bias "]\n\t"                                             \
  "vadd.i32 " s ", " s ", " t "\n\t"                                                             \
  "vldrw.32 " t ", [%[constants], #" at_multiplier "]\n\t"                                       \
  "vqrdmulh.s32 " s ", " s ", " t "\n\t" round(s, t) "vldrw.32 " t ", [%[constants], #" at_shift \
                                                     "]\n\t"                                     \
                                                     "vrshl.s32 " s ", " s ", " t "\n\t"
#define TINYML_MVE_UP(s, t) ""
#define TINYML_MVE_AWAY(s, t)      \
  "vshr.s32 " t ", " s ", #31\n\t" \
  "vqadd.s32 " s ", " s ", " t "\n\t"

/* Outputs of four vectors of sums, made in `t`: 32 instructions, or 40. */
#define TINYML_MVE_SATURATE(s0, s1, s2, s3, t, round)                                           \
  TINYML_MVE_SCALE(s0, t, round, "0", "16", "32")                                               \
  "vqmovnb.s32 " s0 ", " s0 "\n\t" TINYML_MVE_SCALE(                                            \
      s1, t, round, "48", "64",                                                                 \
      "80") "vqmovnb.s32 " s1 ", " s1                                                           \
            "\n\t" TINYML_MVE_SCALE(s2, t, round, "96", "112",                                  \
                                    "128") "vqmovnt.s32 " s0 ", " s2                            \
                                           "\n\t" TINYML_MVE_SCALE(                             \
                                               s3, t, round, "144", "160",                      \
                                               "176") "vqmovnt.s32 " s1 ", " s3 "\n\t"          \
                                                      "vqadd.s16 " s0 ", " s0 ", %[offset]\n\t" \
                                                      "vqadd.s16 " s1 ", " s1 ", %[offset]\n\t" \
                                                      "vqmovnb.s16 " t ", " s0 "\n\t"           \
                                                      "vqmovnt.s16 " t ", " s1

#define TINYML_MVE_SATURATE_VECTORS(round)                                              \
  __asm__(TINYML_MVE_SATURATE("%q[s0]", "%q[s1]", "%q[s2]", "%q[s3]", "%q[t]", round)   \
          : [s0] "+w"(sums_0), [s1] "+w"(sums_1), [s2] "+w"(sums_2), [s3] "+w"(sums_3), \
            [t] "=&w"(constant)                                                         \
          : [constants] "r"(constants), [offset] "r"(params->output_offset),            \
            "m"(*(const int32_t(*)[48])constants))

/* clang-format off: one line an instruction */
/* Scales vector `s` with another vector `t` in the short form, but for the shift. */
#define TINYML_MVE_SCALE_SHORT(s, t, at_factor, at_offset) \
  "vshl.i32 " s ", " s ", %[gain]\n\t"                     \
  "vldrw.32 " t ", [%[constants], #" at_factor "]\n\t"     \
  "vmulh.s32 " s ", " s ", " t "\n\t"                      \
  "vldrw.32 " t ", [%[constants], #" at_offset "]\n\t"     \
  "vadd.i32 " s ", " s ", " t "\n\t"

/* Outputs of four vectors of sums, made in `t`: 26 instructions. Those that narrow also shift. */
#define TINYML_MVE_SATURATE_SHORT(s0, s1, s2, s3, t)                                               \
  TINYML_MVE_SCALE_SHORT(s0, t, "0", "16")                                                         \
  "vqrshrnb.s32 " s0 ", " s0 ", %[first]\n\t" TINYML_MVE_SCALE_SHORT(                              \
      s1, t, "32", "48") "vqrshrnb.s32 " s1 ", " s1                                                \
                         ", %[first]\n\t" TINYML_MVE_SCALE_SHORT(                                  \
                             s2, t, "64", "80") "vqrshrnt.s32 " s0 ", " s2                         \
                                                ", %[first]\n\t" TINYML_MVE_SCALE_SHORT(           \
                                                    s3, t, "96", "112") "vqrshrnt.s32 " s1 ", " s3 \
                                                                        ", %[first]\n\t"           \
                                                                        "vqrshrnb.s16 " t ", " s0  \
                                                                        ", %[second]\n\t"          \
                                                                        "vqrshrnt.s16 " t ", " s1  \
                                                                        ", %[second]"
/* clang-format on */

#define TINYML_MVE_SHORT_OPERANDS                                                         \
  [gain] "i"(params->gain), [first] "i"(params->shift - tinyml_mve_second_shift(params)), \
      [second] "i"(tinyml_mve_second_shift(params))

/* Outputs, not clamped further, with halves rounded up or away from zero. */
TINYML_KERNEL int8x16_t tinyml_mve_saturate(const struct tinyml_mve_requantize_params *params,
                                            int32x4_t sums_0, int32x4_t sums_1, int32x4_t sums_2,
                                            int32x4_t sums_3, const int32_t *constants)
{
  int32x4_t constant;
  if (params->rounding == TINYML_MVE_SHORT) {
    __asm__(TINYML_MVE_SATURATE_SHORT("%q[s0]", "%q[s1]", "%q[s2]", "%q[s3]", "%q[t]")
            : [s0] "+w"(sums_0), [s1] "+w"(sums_1), [s2] "+w"(sums_2), [s3] "+w"(sums_3),
              [t] "=&w"(constant)
            : [constants] "r"(constants), TINYML_MVE_SHORT_OPERANDS,
              "m"(*(const int32_t(*)[32])constants));
  } else if (params->rounding == TINYML_MVE_ROUND_UP) {
    TINYML_MVE_SATURATE_VECTORS(TINYML_MVE_UP);
  } else {
    TINYML_MVE_SATURATE_VECTORS(TINYML_MVE_AWAY);
  }
  return vreinterpretq_s8_s32(constant);
}
#endif

/* The same for any rounding, by the compiler's choice of instructions. */
TINYML_KERNEL int8x16_t tinyml_mve_saturate_any(const struct tinyml_mve_requantize_params *params,
                                                int32x4_t sums_0, int32x4_t sums_1,
                                                int32x4_t sums_2, int32x4_t sums_3,
                                                const int32_t *constants)
{
  const int32_t step = tinyml_mve_constants_size(params) / 4;
  /* The short form has added it already. */
  const int16_t offset =
      (int16_t)(params->rounding == TINYML_MVE_SHORT ? 0 : params->output_offset);
  /* Every lane is written; what is written into is what needs no further vector. */
  sums_0 = tinyml_mve_scale(params, sums_0, constants);
  int16x8_t even = vqmovnbq_s32(vreinterpretq_s16_s32(sums_0), sums_0);
  TINYML_MVE_KEEP_ORDER();
  sums_1 = tinyml_mve_scale(params, sums_1, constants + step);
  int16x8_t odd = vqmovnbq_s32(vreinterpretq_s16_s32(sums_1), sums_1);
  TINYML_MVE_KEEP_ORDER();
  even = vqmovntq_s32(even, tinyml_mve_scale(params, sums_2, constants + 2 * step));
  TINYML_MVE_KEEP_ORDER();
  odd = vqmovntq_s32(odd, tinyml_mve_scale(params, sums_3, constants + 3 * step));
  even = vqaddq_n_s16(even, offset);
  odd = vqaddq_n_s16(odd, offset);
  const int8x16_t outputs = vqmovnbq_s16(vreinterpretq_s8_s16(even), even);
  return vqmovntq_s16(outputs, odd);
}

/* Within the range of the activation. */
TINYML_KERNEL int8x16_t tinyml_mve_clamp(const struct tinyml_mve_requantize_params *params,
                                         int8x16_t outputs)
{
  if (params->activation_min > INT8_MIN) {
    outputs = vmaxq_s8(outputs, vdupq_n_s8((int8_t)params->activation_min));
  }
  if (params->activation_max < INT8_MAX) {
    outputs = vminq_s8(outputs, vdupq_n_s8((int8_t)params->activation_max));
  }
  return outputs;
}

/* 16 outputs of the sums whose numbers are k, k + 4, k + 8, k + 12 in vector k. */
TINYML_KERNEL int8x16_t tinyml_mve_requantize(const struct tinyml_mve_requantize_params *params,
                                              int32x4_t sums_0, int32x4_t sums_1, int32x4_t sums_2,
                                              int32x4_t sums_3, const int32_t *constants)
{
#if TINYML_MVE_ASSEMBLY
  if (params->rounding != TINYML_MVE_ROUND_EXACT) {
    return tinyml_mve_clamp(params,
                            tinyml_mve_saturate(params, sums_0, sums_1, sums_2, sums_3, constants));
  }
#endif
  return tinyml_mve_clamp(
      params, tinyml_mve_saturate_any(params, sums_0, sums_1, sums_2, sums_3, constants));
}

#if TINYML_MVE_ASSEMBLY
#define TINYML_MVE_LOAD_WORDS                \
  "vld40.32 {q4, q5, q6, q7}, [%[sums]]\n\t" \
  "vld41.32 {q4, q5, q6, q7}, [%[sums]]\n\t" \
  "vld42.32 {q4, q5, q6, q7}, [%[sums]]\n\t" \
  "vld43.32 {q4, q5, q6, q7}, [%[sums]]\n\t"

#define TINYML_MVE_SATURATE_WORDS(round)                                                  \
  __asm__ volatile(                                                                       \
      TINYML_MVE_LOAD_WORDS TINYML_MVE_SATURATE("q4", "q5", "q6", "q7", "%q[t]", round)   \
      : [t] "=&w"(outputs)                                                                \
      : [sums] "r"(sums), [constants] "r"(constants), [offset] "r"(params->output_offset) \
      : "q4", "q5", "q6", "q7", "memory")
#endif

/* 16 outputs of 16 sums in order. */
TINYML_KERNEL int8x16_t
tinyml_mve_requantize_words(const struct tinyml_mve_requantize_params *params, const int32_t *sums,
                            const int32_t *constants)
{
#if TINYML_MVE_ASSEMBLY
  int8x16_t outputs;
  if (params->rounding == TINYML_MVE_SHORT) {
    __asm__ volatile(
        TINYML_MVE_LOAD_WORDS TINYML_MVE_SATURATE_SHORT("q4", "q5", "q6", "q7", "%q[t]")
        : [t] "=&w"(outputs)
        : [sums] "r"(sums), [constants] "r"(constants), TINYML_MVE_SHORT_OPERANDS
        : "q4", "q5", "q6", "q7", "memory");
    return tinyml_mve_clamp(params, outputs);
  }
  if (params->rounding == TINYML_MVE_ROUND_UP) {
    TINYML_MVE_SATURATE_WORDS(TINYML_MVE_UP);
    return tinyml_mve_clamp(params, outputs);
  }
  if (params->rounding == TINYML_MVE_ROUND_AWAY) {
    TINYML_MVE_SATURATE_WORDS(TINYML_MVE_AWAY);
    return tinyml_mve_clamp(params, outputs);
  }
#endif
  const int32x4x4_t four = vld4q_s32(sums);
  return tinyml_mve_requantize(params, four.val[0], four.val[1], four.val[2], four.val[3],
                               constants);
}

/* Requantizes `count` sums, whose first is the first of the constants.
 *
 * sums: [count rounded up to a multiple of 16], aligned to 4.
 * constants: [blocks, tinyml_mve_constants_size]. */
TINYML_KERNEL void tinyml_mve_requantize_sums(const struct tinyml_mve_requantize_params *params,
                                              const int32_t *sums, const int32_t *constants,
                                              int32_t count, int8_t *output)
{
  const int32_t size = tinyml_mve_constants_size(params);
  const int32_t *const end = constants + params->blocks * size;
  const int32_t *at = constants;
  for (int32_t i = count / 16; i > 0; --i) {
    vstrbq_s8(output, tinyml_mve_requantize_words(params, sums, at));
    sums += 16;
    output += 16;
    at += size;
    if (at == end) {
      at = constants;
    }
  }
  if (count % 16 != 0) {
    const mve_pred16_t rest = vctp8q((uint32_t)count % 16);
    tinyml_mve_store_some(output, tinyml_mve_requantize_words(params, sums, at), rest);
  }
}

#endif
