/* A pixel of three colours as one, or as it is. */
#ifndef TINYML_PIXEL_H
#define TINYML_PIXEL_H

#include "tinyml_kernel.h"

/* Writes red, green and blue, or for one channel their luma (ITU-R BT.601) with 16 fraction bits.
 *
 * channels: 1 or 3. */
TINYML_KERNEL void tinyml_write_pixel(int32_t channels, int32_t red, int32_t green, int32_t blue,
                                      uint8_t *to)
{
  if (channels == 1) {
    to[0] = (uint8_t)((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16);
    return;
  }
  to[0] = (uint8_t)red;
  to[1] = (uint8_t)green;
  to[2] = (uint8_t)blue;
}

#endif
