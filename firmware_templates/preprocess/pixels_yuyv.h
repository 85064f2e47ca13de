/* Part of a row of a picture with luma for each pixel and colour for each two. */
#ifndef TINYML_PIXELS_YUYV_H
#define TINYML_PIXELS_YUYV_H

#include "pixel.h"

/* Full-range ITU-R BT.601, as JPEG has it, with 16 fraction bits.
 *
 * row: luma, blue difference, luma, red difference of two pixels, and so on.
 * to: [count][channels]. */
TINYML_KERNEL void tinyml_pixels_yuyv(const uint8_t *row, int32_t first, int32_t count,
                                      int32_t channels, uint8_t *to)
{
  for (int32_t i = 0; i < count; ++i) {
    const int32_t x = first + i;
    const int32_t luma = row[2 * x];
    if (channels == 1) {
      to[i] = (uint8_t)luma;
      continue;
    }
    const uint8_t *const pair = row + 4 * (x / 2);
    const int32_t blue = pair[1] - 128;
    const int32_t red = pair[3] - 128;
    const int32_t y = luma * 65536 + 32768;
    tinyml_write_pixel(channels, tinyml_clamp((y + 91881 * red) >> 16, 0, 255),
                       tinyml_clamp((y - 22554 * blue - 46802 * red) >> 16, 0, 255),
                       tinyml_clamp((y + 116130 * blue) >> 16, 0, 255), to + channels * i);
  }
}

#endif
