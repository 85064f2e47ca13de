/* Part of two rows of a sensor with colour filters: each cell of 2 x 2 becomes one pixel. */
#ifndef TINYML_PIXELS_BAYER_H
#define TINYML_PIXELS_BAYER_H

#include "pixel.h"

/* rows: two rows, the second `row_bytes` after the first.
 * red: place of red in a cell: 0 and 1 above, 2 and 3 below; blue is opposite, green at the others.
 * first, count: cells.  to: [count][channels]. */
TINYML_KERNEL void tinyml_pixels_bayer(const uint8_t *rows, int32_t row_bytes, int32_t red,
                                       int32_t first, int32_t count, int32_t channels, uint8_t *to)
{
  for (int32_t i = 0; i < count; ++i) {
    const uint8_t *const above = rows + 2 * (first + i);
    const uint8_t *const below = above + row_bytes;
    const uint8_t cell[4] = {above[0], above[1], below[0], below[1]};
    const int32_t green = (cell[red ^ 1] + cell[red ^ 2] + 1) >> 1;
    tinyml_write_pixel(channels, cell[red], green, cell[red ^ 3], to + channels * i);
  }
}

#endif
