/* The newest rows of features, so that no row is ever computed twice. */
#ifndef TINYML_FRAME_RING_H
#define TINYML_FRAME_RING_H

#include <stdbool.h>

#include "tinyml_kernel.h"

struct tinyml_frame_ring {
  int32_t next;    /* place of the next row */
  int32_t missing; /* rows until the next input of the model is complete */
};

/* Empty: the first input of the model needs `rows` rows. */
TINYML_KERNEL void tinyml_frame_ring_start(struct tinyml_frame_ring *ring, int32_t rows)
{
  ring->next = 0;
  ring->missing = rows;
}

/* A row was written to place `next`.  True where the model's input is complete; the one after it is
 * complete `every` rows later. */
TINYML_KERNEL bool tinyml_frame_ring_advance(struct tinyml_frame_ring *ring, int32_t rows,
                                             int32_t every)
{
  ring->next = ring->next + 1 < rows ? ring->next + 1 : 0;
  ring->missing -= 1;
  if (ring->missing > 0) {
    return false;
  }
  ring->missing = every;
  return true;
}

/* Copies all rows, the oldest first. */
TINYML_KERNEL void tinyml_frame_ring_copy(const struct tinyml_frame_ring *ring, int32_t rows,
                                          int32_t row_bytes, const void *from, void *to)
{
  const size_t newer = (size_t)(ring->next * row_bytes);
  const size_t older = (size_t)((rows - ring->next) * row_bytes);
  memcpy(to, (const uint8_t *)from + newer, older);
  memcpy((uint8_t *)to + older, from, newer);
}

#endif
