/* Part of a row of a picture with 16 bits a pixel: 5 of red, 6 of green, 5 of blue. */
#ifndef TINYML_PIXELS_RGB565_H
#define TINYML_PIXELS_RGB565_H

#include "pixel.h"

/* The lowest bits of a byte repeat the highest ones, so that all ones mean 255.
 *
 * row: [first + count][2].  high_byte: where the byte with red is, 0 or 1.
 * to: [count][channels]. */
TINYML_KERNEL void tinyml_pixels_16bit(const uint8_t *row, int32_t high_byte, int32_t first,
                                       int32_t count, int32_t channels, uint8_t *to)
{
  for (int32_t i = 0; i < count; ++i) {
    const uint8_t *const from = row + 2 * (first + i);
    const int32_t bits = (from[high_byte] << 8) | from[1 - high_byte];
    const int32_t red = bits >> 11;
    const int32_t green = (bits >> 5) & 63;
    const int32_t blue = bits & 31;
    tinyml_write_pixel(channels, (red << 3) | (red >> 2), (green << 2) | (green >> 4),
                       (blue << 3) | (blue >> 2), to + channels * i);
  }
}

TINYML_KERNEL void tinyml_pixels_rgb565(const uint8_t *row, int32_t first, int32_t count,
                                        int32_t channels, uint8_t *to)
{
  tinyml_pixels_16bit(row, 1, first, count, channels, to);
}

#endif
