/* RESIZE_NEAREST_NEIGHBOR of images of any element type. */
#ifndef TINYML_RESIZE_NEAREST_NEIGHBOR_H
#define TINYML_RESIZE_NEAREST_NEIGHBOR_H

#include "tinyml_kernel.h"

struct tinyml_resize_nearest_neighbor_params {
  int32_t batches;     /* images; 1 or more */
  int32_t input_h;     /* rows of an input image; 1 to 32768 */
  int32_t input_w;     /* columns of an input image; 1 to 32768 */
  int32_t output_h;    /* rows of an output image; 1 or more */
  int32_t output_w;    /* columns of an output image; 1 or more */
  int32_t pixel_bytes; /* bytes of all channels of a pixel; 1 or more */
};

/* output[b, y, x] = input[b, rows[y], columns[x]].
 *
 * Which input pixel is nearest depends on the shapes and options only, so the compiler works it
 * out: no floating-point number is needed here. */
TINYML_KERNEL void
tinyml_resize_nearest_neighbor(const struct tinyml_resize_nearest_neighbor_params *params,
                               const void *input, const int16_t *rows, const int16_t *columns,
                               void *output)
{
  const size_t pixel = (size_t)params->pixel_bytes;
  const size_t row = (size_t)params->input_w * pixel;
  const uint8_t *image = input;
  uint8_t *to = output;
  for (int32_t b = 0; b < params->batches; ++b) {
    for (int32_t y = 0; y < params->output_h; ++y) {
      const uint8_t *from = image + (size_t)rows[y] * row;
      for (int32_t x = 0; x < params->output_w; ++x) {
        memcpy(to, from + (size_t)columns[x] * pixel, pixel);
        to += pixel;
      }
    }
    image += (size_t)params->input_h * row;
  }
}

#endif
