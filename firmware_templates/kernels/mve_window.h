/* Input rows that a window covers, with their padding, copied to a buffer.
 *
 * The buffer moves down the input: rows that are still needed move up in it. So every window lies
 * inside, and what an input row held may be overwritten once it has been copied. */
#ifndef TINYML_MVE_WINDOW_H
#define TINYML_MVE_WINDOW_H

#include "mve.h"
#include "tinyml_kernel.h"

struct tinyml_mve_window_params {
  int32_t input_h; /* 1 and above, as all sizes */
  int32_t input_w;
  int32_t input_c;
  int32_t rows;    /* in the buffer: those from the first to the last row of a window */
  int32_t columns; /* of the input, that windows cover */
  int32_t stride_h;
  int32_t pad_h;       /* rows of padding above, 0 and above */
  int32_t pad_w;       /* columns of padding on the left, 0 and above */
  int32_t phases;      /* columns 0, phases, 2 * phases, ... of a row lie together, then 1, ... */
  int32_t phase_bytes; /* of one phase of a row */
  int32_t padding;     /* the value of padding: the input's zero point, -128 to 127 */
};

TINYML_KERNEL int32_t tinyml_mve_row_bytes(const struct tinyml_mve_window_params *params)
{
  return params->phases * params->phase_bytes;
}

/* Copies columns of a row whose padding is in place. */
TINYML_KERNEL void tinyml_mve_copy_row(const struct tinyml_mve_window_params *params,
                                       const int8_t *input, int8_t *row)
{
  const int32_t bytes = params->input_c;
  if (params->phases == 1) {
    tinyml_mve_copy(row + params->pad_w * bytes, input, params->columns * bytes);
    return;
  }
  for (int32_t first = 0; first < params->phases; ++first) {
    const int32_t column = params->pad_w + first;
    int8_t *to =
        row + column % params->phases * params->phase_bytes + column / params->phases * bytes;
    for (int32_t x = first; x < params->columns; x += params->phases) {
      tinyml_mve_copy(to, input + x * bytes, bytes);
      to += bytes;
    }
  }
}

/* Copies input rows y, y + 1, ... to the last `count` rows of the buffer. */
TINYML_KERNEL void tinyml_mve_load_rows(const struct tinyml_mve_window_params *params,
                                        const int8_t *input, int32_t y, int32_t count,
                                        int8_t *window)
{
  const int32_t row_bytes = tinyml_mve_row_bytes(params);
  int8_t *row = window + (params->rows - count) * row_bytes;
  for (int32_t end = y + count; y < end; ++y) {
    if (y < 0 || y >= params->input_h) {
      tinyml_mve_fill(row, params->padding, row_bytes);
    } else {
      tinyml_mve_copy_row(params, input + y * params->input_w * params->input_c, row);
    }
    row += row_bytes;
  }
}

/* Loads the rows of the first output row. */
TINYML_KERNEL void tinyml_mve_first_window(const struct tinyml_mve_window_params *params,
                                           const int8_t *input, int8_t *window)
{
  tinyml_mve_fill(window, params->padding, params->rows * tinyml_mve_row_bytes(params));
  tinyml_mve_load_rows(params, input, -params->pad_h, params->rows, window);
}

/* Moves on to the rows of output row `out_y`. */
TINYML_KERNEL void tinyml_mve_next_window(const struct tinyml_mve_window_params *params,
                                          const int8_t *input, int32_t out_y, int8_t *window)
{
  const int32_t row_bytes = tinyml_mve_row_bytes(params);
  const int32_t fresh = tinyml_min(params->stride_h, params->rows);
  const int32_t kept = params->rows - fresh;
  tinyml_mve_copy(window, window + fresh * row_bytes, kept * row_bytes);
  const int32_t y = out_y * params->stride_h - params->pad_h + kept;
  tinyml_mve_load_rows(params, input, y, fresh, window);
}

#endif
