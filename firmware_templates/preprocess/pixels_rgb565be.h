/* As rgb565, with the byte that has red first. */
#ifndef TINYML_PIXELS_RGB565BE_H
#define TINYML_PIXELS_RGB565BE_H

#include "pixels_rgb565.h"

TINYML_KERNEL void tinyml_pixels_rgb565be(const uint8_t *row, int32_t first, int32_t count,
                                          int32_t channels, uint8_t *to)
{
  tinyml_pixels_16bit(row, 0, first, count, channels, to);
}

#endif
