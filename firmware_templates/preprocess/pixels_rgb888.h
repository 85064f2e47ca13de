/* Part of a row of a picture with a byte each for red, green and blue. */
#ifndef TINYML_PIXELS_RGB888_H
#define TINYML_PIXELS_RGB888_H

#include "pixel.h"

/* row: [first + count][3].  to: [count][channels]. */
TINYML_KERNEL void tinyml_pixels_rgb888(const uint8_t *row, int32_t first, int32_t count,
                                        int32_t channels, uint8_t *to)
{
  for (int32_t i = 0; i < count; ++i) {
    const uint8_t *const from = row + 3 * (first + i);
    tinyml_write_pixel(channels, from[0], from[1], from[2], to + channels * i);
  }
}

#endif
