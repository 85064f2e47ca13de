/* What the kernels of fully connected layers for cores without DSP instructions share. */
#ifndef TINYML_FULLY_CONNECTED_ROWS_H
#define TINYML_FULLY_CONNECTED_ROWS_H

#include "short_requantize.h"
#include "tinyml_kernel.h"

struct tinyml_fully_connected_rows {
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

/* The sum of an input vector. */
TINYML_KERNEL int32_t tinyml_row_sum(const struct tinyml_fully_connected_rows *params,
                                     const int8_t *input)
{
  int32_t sum = 0;
  for (int32_t i = 0; i < params->input_c; ++i) {
    sum += input[i];
  }
  return sum;
}

/* What is known of four outputs: their biases, with the zero point folded in, and, where they have
 * them, constants of their own: of each factor, offset, what is added to negative sums, shift. */
TINYML_KERNEL const int32_t *tinyml_row_constants(const int32_t *constants, int32_t c,
                                                  int32_t by_output)
{
  return constants + c * (by_output != 0 ? 5 : 1);
}

/* A sum, times 256, as output i of four. */
TINYML_KERNEL int8_t tinyml_row_output(const struct tinyml_fully_connected_rows *params,
                                       const int32_t *four, int32_t i, int32_t sum,
                                       int32_t by_output)
{
  const int32_t *own = four + 4 + 4 * i;
  const int32_t value = by_output != 0
                            ? tinyml_signed_requantize(sum, own[0], own[1], own[2], own[3])
                            : tinyml_signed_requantize(sum, params->factor, params->offset,
                                                       params->below, params->shift);
  return (int8_t)tinyml_clamp(value, params->activation_min, params->activation_max);
}

#endif
