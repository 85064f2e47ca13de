/* PAD and PADV2: a tensor of any element type inside a larger one filled with one value. */
#ifndef TINYML_PAD_H
#define TINYML_PAD_H

#include "tinyml_kernel.h"

struct tinyml_pad_params {
  int32_t counts[4];     /* blocks of the input along each axis but the last, outermost first;
                            1 or more */
  int32_t row_bytes;     /* bytes of the input along the last axis; 1 or more */
  int32_t before[5];     /* bytes of padding before the blocks of each axis; 0 or more */
  int32_t after[5];      /* bytes of padding after them; 0 or more */
  int32_t value;         /* the bit pattern to pad with */
  int32_t element_bytes; /* bytes of that pattern: 1, 2 or 4, a divisor of all other sizes */
};

/* Writes `bytes` bytes of padding and returns the place behind them. */
TINYML_KERNEL uint8_t *tinyml_pad_fill(const struct tinyml_pad_params *params, uint8_t *output,
                                       int32_t bytes)
{
  if (params->element_bytes == 1) {
    memset(output, params->value, (size_t)bytes);
    return output + bytes;
  }
  for (const uint8_t *end = output + bytes; output < end; output += params->element_bytes) {
    if (params->element_bytes == 2) {
      const uint16_t half = (uint16_t)params->value;
      memcpy(output, &half, sizeof half);
    } else {
      memcpy(output, &params->value, sizeof params->value);
    }
  }
  return output;
}

TINYML_KERNEL void tinyml_pad(const struct tinyml_pad_params *params, const void *input,
                              void *output)
{
  const int32_t *counts = params->counts;
  const int32_t *before = params->before;
  const int32_t *after = params->after;
  const uint8_t *from = input;
  uint8_t *to = tinyml_pad_fill(params, output, before[0]);
  for (int32_t i0 = 0; i0 < counts[0]; ++i0) {
    to = tinyml_pad_fill(params, to, before[1]);
    for (int32_t i1 = 0; i1 < counts[1]; ++i1) {
      to = tinyml_pad_fill(params, to, before[2]);
      for (int32_t i2 = 0; i2 < counts[2]; ++i2) {
        to = tinyml_pad_fill(params, to, before[3]);
        for (int32_t i3 = 0; i3 < counts[3]; ++i3) {
          to = tinyml_pad_fill(params, to, before[4]);
          memcpy(to, from, (size_t)params->row_bytes);
          from += params->row_bytes;
          to = tinyml_pad_fill(params, to + params->row_bytes, after[4]);
        }
        to = tinyml_pad_fill(params, to, after[3]);
      }
      to = tinyml_pad_fill(params, to, after[2]);
    }
    to = tinyml_pad_fill(params, to, after[1]);
  }
  (void)tinyml_pad_fill(params, to, after[0]);
}

#endif
