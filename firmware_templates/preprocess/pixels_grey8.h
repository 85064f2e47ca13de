/* Part of a row of a picture with one byte a pixel. */
#ifndef TINYML_PIXELS_GREY8_H
#define TINYML_PIXELS_GREY8_H

#include "tinyml_kernel.h"

/* row: [first + count].  to: [count]. */
TINYML_KERNEL void tinyml_pixels_grey8(const uint8_t *row, int32_t first, int32_t count,
                                       int32_t channels, uint8_t *to)
{
  (void)channels; /* 1 */
  memcpy(to, row + first, (size_t)count);
}

#endif
