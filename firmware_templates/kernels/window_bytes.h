/* Copying of the inputs under a window to every n-th byte of a buffer, where several windows lie
 * side by side. */
#ifndef TINYML_WINDOW_BYTES_H
#define TINYML_WINDOW_BYTES_H

#include "lane_products.h"
#include "tinyml_kernel.h"

struct tinyml_window {
  int32_t input_h;
  int32_t input_w;
  int32_t input_c;
  int32_t filter_h;
  int32_t filter_w;
  int32_t dilation_h;
  int32_t dilation_w;
  int32_t padding; /* the value of padding */
};

/* How the buffer is made: bytes are `step` apart, and turned over by `flip`. */
struct tinyml_byte_lane {
  int32_t step;
  int32_t flip;
};

/* All layers share this function. */
TINYML_SHARED int8_t *tinyml_copy_to_lane(int8_t *lane, struct tinyml_byte_lane how,
                                          const int8_t *bytes, int32_t count)
{
  return tinyml_lane_copy(lane, how.step, bytes, 1, count, how.flip);
}

/* Copies one run of consecutive taps, padding where they lie outside of the input. */
TINYML_KERNEL int8_t *tinyml_window_run(const struct tinyml_window *window, const int8_t *input,
                                        int32_t y, int32_t x, int32_t taps, int8_t *lane,
                                        struct tinyml_byte_lane how)
{
  const int32_t padding = window->padding ^ how.flip;
  const int32_t begin = tinyml_max(0, -x);
  const int32_t end = tinyml_min(taps, window->input_w - x);
  if (y < 0 || y >= window->input_h || begin >= end) {
    return tinyml_lane_fill(lane, how.step, padding, taps * window->input_c);
  }
  const int8_t *from = input + (y * window->input_w + x + begin) * window->input_c;
  lane = tinyml_lane_fill(lane, how.step, padding, begin * window->input_c);
  lane = tinyml_copy_to_lane(lane, how, from, (end - begin) * window->input_c);
  return tinyml_lane_fill(lane, how.step, padding, (taps - end) * window->input_c);
}

/* Copies the window whose first tap is at y, x. */
TINYML_KERNEL void tinyml_window_bytes(const struct tinyml_window *window, const int8_t *input,
                                       int32_t y, int32_t x, int8_t *lane,
                                       struct tinyml_byte_lane how)
{
  const int32_t taps = window->dilation_w == 1 ? window->filter_w : 1;
  for (int32_t row = 0; row < window->filter_h; ++row) {
    for (int32_t column = 0; column < window->filter_w; column += taps) {
      lane = tinyml_window_run(window, input, y + row * window->dilation_h,
                               x + column * window->dilation_w, taps, lane, how);
    }
  }
}

#endif
