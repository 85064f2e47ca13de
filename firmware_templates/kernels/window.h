/* Which taps of a filter or pooling window lie inside the input, along one axis. */
#ifndef TINYML_WINDOW_H
#define TINYML_WINDOW_H

#include "tinyml_kernel.h"

/* Taps [begin, end) lie inside; empty where begin >= end. */
struct tinyml_taps {
  int32_t begin;
  int32_t end;
};

/* The taps of a window inside an input of `input_size` elements.
 *
 * origin: index of the window's first tap in the input; negative inside the padding, and below
 * input_size.
 * taps: number of taps, 1 and above.
 * dilation: distance between two taps, 1 and above. */
TINYML_KERNEL struct tinyml_taps tinyml_taps_inside(int32_t origin, int32_t input_size,
                                                    int32_t taps, int32_t dilation)
{
  const struct tinyml_taps inside = {
      .begin = tinyml_max(0, (dilation - 1 - origin) / dilation),
      .end = tinyml_min(taps, (input_size + dilation - 1 - origin) / dilation),
  };
  return inside;
}

#endif
