/* Sums of products of input bytes and weights, 16 at a time. */
#ifndef TINYML_MVE_PRODUCTS_H
#define TINYML_MVE_PRODUCTS_H

#include "mve.h"
#include "tinyml_kernel.h"

/* What the windows of neighbouring outputs look like: `rows` runs of steps * 16 bytes. */
struct tinyml_mve_runs_params {
  int32_t rows;     /* 1 and above */
  int32_t steps;    /* of 16 bytes, 1 and above */
  int32_t row_step; /* bytes from one run to the next of the same window */
  int32_t pitch;    /* bytes from one window to the next */
};

enum { TINYML_MVE_PIXELS = 3 }; /* outputs made together */

/* Sums of two filters over three windows: of_ab is of filter a and window b. */
struct tinyml_mve_sums {
  int32_t of_00;
  int32_t of_01;
  int32_t of_02;
  int32_t of_10;
  int32_t of_11;
  int32_t of_12;
};

/* Where the next step reads. */
struct tinyml_mve_sources {
  const int8_t *window_0;
  const int8_t *window_1;
  const int8_t *window_2;
  const int8_t *weights;
};

#if TINYML_MVE_ASSEMBLY
/* One step: 11 instructions, 96 products. `op` is vmladav, or vmladava, which adds to the sums. */
#define TINYML_MVE_STEP(op)                                                                  \
  "vldrb.8 q0, [%[weights]], #16\n\t"                                                        \
  "vldrb.8 q1, [%[weights]], #16\n\t"                                                        \
  "vldrb.8 q2, [%[window_0]], #16\n\t" op " %[of_00], q2, q0\n\t" op " %[of_10], q2, q1\n\t" \
  "vldrb.8 q3, [%[window_1]], #16\n\t" op " %[of_01], q3, q0\n\t" op " %[of_11], q3, q1\n\t" \
  "vldrb.8 q2, [%[window_2]], #16\n\t" op " %[of_02], q2, q0\n\t" op " %[of_12], q2, q1\n\t"
#define TINYML_MVE_FIRST TINYML_MVE_STEP("vmladav.s8")
#define TINYML_MVE_MORE TINYML_MVE_STEP("vmladava.s8")

/* `sum` is the sums' constraint: written, or added to. */
#define TINYML_MVE_STEPS(steps, sum)                                                               \
  __asm__ volatile(steps                                                                           \
                   : [of_00] sum(sums->of_00), [of_01] sum(sums->of_01), [of_02] sum(sums->of_02), \
                     [of_10] sum(sums->of_10), [of_11] sum(sums->of_11), [of_12] sum(sums->of_12), \
                     [weights] "+r"(from->weights), [window_0] "+r"(from->window_0),               \
                     [window_1] "+r"(from->window_1), [window_2] "+r"(from->window_2)              \
                   :                                                                               \
                   : "q0", "q1", "q2", "q3", "memory")

/* The first `steps` steps: 1, 2 or 4. */
TINYML_KERNEL void tinyml_mve_first_steps(struct tinyml_mve_sums *sums,
                                          struct tinyml_mve_sources *from, int32_t steps)
{
  if (steps == 4) {
    TINYML_MVE_STEPS(TINYML_MVE_FIRST TINYML_MVE_MORE TINYML_MVE_MORE TINYML_MVE_MORE, "=&Te");
  } else if (steps == 2) {
    TINYML_MVE_STEPS(TINYML_MVE_FIRST TINYML_MVE_MORE, "=&Te");
  } else {
    TINYML_MVE_STEPS(TINYML_MVE_FIRST, "=&Te");
  }
}

/* `steps` more: 1, 2 or 4. */
TINYML_KERNEL void tinyml_mve_more_steps(struct tinyml_mve_sums *sums,
                                         struct tinyml_mve_sources *from, int32_t steps)
{
  if (steps == 4) {
    TINYML_MVE_STEPS(TINYML_MVE_MORE TINYML_MVE_MORE TINYML_MVE_MORE TINYML_MVE_MORE, "+Te");
  } else if (steps == 2) {
    TINYML_MVE_STEPS(TINYML_MVE_MORE TINYML_MVE_MORE, "+Te");
  } else {
    TINYML_MVE_STEPS(TINYML_MVE_MORE, "+Te");
  }
}
#else
TINYML_KERNEL void tinyml_mve_more_steps(struct tinyml_mve_sums *sums,
                                         struct tinyml_mve_sources *from, int32_t steps)
{
  for (int32_t step = 0; step < steps; ++step) {
    const int8x16_t filter_0 = vldrbq_s8(from->weights), filter_1 = vldrbq_s8(from->weights + 16);
    const int8x16_t bytes_0 = vldrbq_s8(from->window_0);
    const int8x16_t bytes_1 = vldrbq_s8(from->window_1);
    const int8x16_t bytes_2 = vldrbq_s8(from->window_2);
    sums->of_00 = vmladavaq_s8(sums->of_00, bytes_0, filter_0);
    sums->of_10 = vmladavaq_s8(sums->of_10, bytes_0, filter_1);
    sums->of_01 = vmladavaq_s8(sums->of_01, bytes_1, filter_0);
    sums->of_11 = vmladavaq_s8(sums->of_11, bytes_1, filter_1);
    sums->of_02 = vmladavaq_s8(sums->of_02, bytes_2, filter_0);
    sums->of_12 = vmladavaq_s8(sums->of_12, bytes_2, filter_1);
    from->weights += 32;
    from->window_0 += 16;
    from->window_1 += 16;
    from->window_2 += 16;
  }
}

TINYML_KERNEL void tinyml_mve_first_steps(struct tinyml_mve_sums *sums,
                                          struct tinyml_mve_sources *from, int32_t steps)
{
  const struct tinyml_mve_sums none = {0, 0, 0, 0, 0, 0};
  *sums = none;
  tinyml_mve_more_steps(sums, from, steps);
}
#endif

/* Any number of further steps. */
TINYML_KERNEL void tinyml_mve_steps(struct tinyml_mve_sums *sums, struct tinyml_mve_sources *from,
                                    int32_t steps)
{
  for (int32_t i = steps / 4; i > 0; --i) {
    tinyml_mve_more_steps(sums, from, 4);
  }
  if (steps % 4 >= 2) {
    tinyml_mve_more_steps(sums, from, 2);
  }
  if (steps % 2 != 0) {
    tinyml_mve_more_steps(sums, from, 1);
  }
}

/* From the end of a run to the beginning of the next one. */
TINYML_KERNEL void tinyml_mve_next_run(struct tinyml_mve_sources *from, int32_t gap)
{
  from->window_0 += gap;
  from->window_1 += gap;
  from->window_2 += gap;
}

/* Adds up two filters over three windows; `from` goes on to the next filters, same windows. */
TINYML_KERNEL struct tinyml_mve_sums
tinyml_mve_two_filters(const struct tinyml_mve_runs_params *params, struct tinyml_mve_sources *from)
{
  const int32_t run = params->steps * 16;
  const int32_t first = params->steps >= 4 ? 4 : params->steps >= 2 ? 2 : 1;
  struct tinyml_mve_sums sums;
  tinyml_mve_first_steps(&sums, from, first);
  tinyml_mve_steps(&sums, from, params->steps - first);
  for (int32_t row = 1; row < params->rows; ++row) {
    tinyml_mve_next_run(from, params->row_step - run);
    tinyml_mve_steps(&sums, from, params->steps);
  }
  tinyml_mve_next_run(from, -run - (params->rows - 1) * params->row_step);
  return sums;
}

#if TINYML_MVE_ASSEMBLY
/* Like TINYML_MVE_STEP, with the windows' bytes at a distance. */
#define TINYML_MVE_STEP_AT(op, at)                                                               \
  "vldrb.8 q0, [%[weights]], #16\n\t"                                                            \
  "vldrb.8 q1, [%[weights]], #16\n\t"                                                            \
  "vldrb.8 q2, [%[window_0], #" at "]\n\t" op " %[of_00], q2, q0\n\t" op " %[of_10], q2, q1\n\t" \
  "vldrb.8 q3, [%[window_1], #" at "]\n\t" op " %[of_01], q3, q0\n\t" op " %[of_11], q3, q1\n\t" \
  "vldrb.8 q2, [%[window_2], #" at "]\n\t" op " %[of_02], q2, q0\n\t" op " %[of_12], q2, q1\n\t"
#define TINYML_MVE_MORE_AT(at) TINYML_MVE_STEP_AT("vmladava.s8", at)
#define TINYML_MVE_1 TINYML_MVE_STEP_AT("vmladav.s8", "0")
#define TINYML_MVE_2 TINYML_MVE_1 TINYML_MVE_MORE_AT("16")
#define TINYML_MVE_3 TINYML_MVE_2 TINYML_MVE_MORE_AT("32")
#define TINYML_MVE_4 TINYML_MVE_3 TINYML_MVE_MORE_AT("48")
#define TINYML_MVE_5 TINYML_MVE_4 TINYML_MVE_MORE_AT("64")
#define TINYML_MVE_6 TINYML_MVE_5 TINYML_MVE_MORE_AT("80")
#define TINYML_MVE_7 TINYML_MVE_6 TINYML_MVE_MORE_AT("96")
#define TINYML_MVE_8 TINYML_MVE_7 TINYML_MVE_MORE_AT("112")

/* Two filters after the other: 4 instructions and the steps for each two. */
#define TINYML_MVE_FILTERS(steps)                                                            \
  __asm__ volatile("dls lr, lr\n"                                                            \
                   "1:\n\t" steps "strd %[of_01], %[of_11], [%[sums], #%c[second]]\n\t"      \
                   "strd %[of_02], %[of_12], [%[sums], #%c[third]]\n\t"                      \
                   "strd %[of_00], %[of_10], [%[sums]], #8\n\t"                              \
                   "le lr, 1b"                                                               \
                   : [of_00] "=&Te"(of_00), [of_01] "=&Te"(of_01), [of_02] "=&Te"(of_02),    \
                     [of_10] "=&Te"(of_10), [of_11] "=&Te"(of_11), [of_12] "=&Te"(of_12),    \
                     [weights] "+r"(weights), [sums] "+r"(sums), "+r"(count)                 \
                   : [window_0] "r"(windows), [window_1] "r"(windows + params->pitch),       \
                     [window_2] "r"(windows + 2 * params->pitch), [second] "i"(4 * filters), \
                     [third] "i"(8 * filters)                                                \
                   : "q0", "q1", "q2", "q3", "cc", "memory")

/* The sums of 2 to 127 filters over three windows of one run, but for the last of an odd number. */
TINYML_KERNEL void tinyml_mve_filters_of_a_run(const struct tinyml_mve_runs_params *params,
                                               const int8_t *windows, const int8_t *weights,
                                               int32_t filters, int32_t *sums)
{
  register int32_t count __asm__("lr") = filters / 2;
  int32_t of_00, of_01, of_02, of_10, of_11, of_12;
  switch (params->steps) {
  case 1:
    TINYML_MVE_FILTERS(TINYML_MVE_1);
    break;
  case 2:
    TINYML_MVE_FILTERS(TINYML_MVE_2);
    break;
  case 3:
    TINYML_MVE_FILTERS(TINYML_MVE_3);
    break;
  case 4:
    TINYML_MVE_FILTERS(TINYML_MVE_4);
    break;
  case 5:
    TINYML_MVE_FILTERS(TINYML_MVE_5);
    break;
  case 6:
    TINYML_MVE_FILTERS(TINYML_MVE_6);
    break;
  case 7:
    TINYML_MVE_FILTERS(TINYML_MVE_7);
    break;
  default:
    TINYML_MVE_FILTERS(TINYML_MVE_8);
    break;
  }
}
#endif

/* The sums of all filters over three windows.
 *
 * windows: the first one; the others follow at `pitch`.
 * weights: [filters / 2 rounded up, rows, steps, 2, 16].
 * sums: [TINYML_MVE_PIXELS, filters]. */
TINYML_KERNEL void tinyml_mve_filters(const struct tinyml_mve_runs_params *params,
                                      const int8_t *windows, const int8_t *weights, int32_t filters,
                                      int32_t *sums)
{
  int32_t made = 0;
#if TINYML_MVE_ASSEMBLY
  if (params->rows == 1 && params->steps <= 8 && filters >= 2 && filters <= 127) {
    tinyml_mve_filters_of_a_run(params, windows, weights, filters, sums);
    made = filters / 2 * 2;
  }
#endif
  struct tinyml_mve_sources from = {.window_0 = windows,
                                    .window_1 = windows + params->pitch,
                                    .window_2 = windows + 2 * params->pitch,
                                    .weights = weights + made * params->rows * params->steps * 16};
  sums += made;
  for (int32_t i = (filters - made) / 2; i > 0; --i) {
    const struct tinyml_mve_sums two = tinyml_mve_two_filters(params, &from);
    sums[0] = two.of_00;
    sums[1] = two.of_10;
    sums[filters] = two.of_01;
    sums[filters + 1] = two.of_11;
    sums[2 * filters] = two.of_02;
    sums[2 * filters + 1] = two.of_12;
    sums += 2;
  }
  if (filters % 2 != 0) {
    const struct tinyml_mve_sums last = tinyml_mve_two_filters(params, &from);
    sums[0] = last.of_00;
    sums[filters] = last.of_01;
    sums[2 * filters] = last.of_02;
  }
}

#endif
