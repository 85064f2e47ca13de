/* QUANTIZE between integer types of 1, 2 and 4 bytes, where a table of the results would be larger
 * than the formula. */
#ifndef TINYML_QUANTIZE_INTEGER_H
#define TINYML_QUANTIZE_INTEGER_H

#include "requantize.h"
#include "tinyml_kernel.h"

struct tinyml_quantize_integer_params {
  int32_t input_bytes;       /* size of an input: 1, 2 or 4 for int8, int16 or int32 */
  int32_t output_bytes;      /* size of an output: 1, 2 or 4 for int8, int16 or int32 */
  int32_t multiplier;        /* of input scale / output scale; 2^30 to 2^31 - 1, or 0 */
  int32_t shift;             /* of the same; -31 to 31 */
  int32_t input_zero_point;  /* in the range of the input type */
  int32_t output_zero_point; /* in the range of the output type */
  int32_t elements;          /* values to quantize; 1 or more */
};

TINYML_KERNEL int32_t tinyml_quantize_load(const void *input, int32_t bytes, int32_t index)
{
  switch (bytes) {
  case 1:
    return ((const int8_t *)input)[index];
  case 2:
    return ((const int16_t *)input)[index];
  default:
    return ((const int32_t *)input)[index];
  }
}

/* Stores a value, clamped to the range of the type. */
TINYML_KERNEL void tinyml_quantize_store(void *output, int32_t bytes, int32_t index, int32_t value)
{
  switch (bytes) {
  case 1:
    ((int8_t *)output)[index] = (int8_t)tinyml_clamp(value, INT8_MIN, INT8_MAX);
    break;
  case 2:
    ((int16_t *)output)[index] = (int16_t)tinyml_clamp(value, INT16_MIN, INT16_MAX);
    break;
  default:
    ((int32_t *)output)[index] = value;
    break;
  }
}

TINYML_KERNEL void tinyml_quantize_integer(const struct tinyml_quantize_integer_params *params,
                                           const void *input, void *output)
{
  for (int32_t i = 0; i < params->elements; ++i) {
    const int32_t value = tinyml_quantize_load(input, params->input_bytes, i);
    const int32_t difference = tinyml_wrapping_sub(value, params->input_zero_point);
    const int32_t scaled = tinyml_requantize(difference, params->multiplier, params->shift);
    tinyml_quantize_store(output, params->output_bytes, i,
                          tinyml_wrapping_add(scaled, params->output_zero_point));
  }
}

#endif
