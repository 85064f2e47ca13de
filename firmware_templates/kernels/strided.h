/* Positions in tensors that are walked with a stride for each axis. */
#ifndef TINYML_STRIDED_H
#define TINYML_STRIDED_H

#include "tinyml_kernel.h"

/* Offset of the `index`-th position of an array of axes, counted with the last axis fastest.
 *
 * extents: number of positions along each axis, 1 and above.
 * strides: elements between two positions along each axis; 0 where all read the same element.
 * axes: number of axes, 1 and above. */
TINYML_KERNEL int32_t tinyml_strided_offset(const int32_t *extents, const int32_t *strides,
                                            int32_t axes, int32_t index)
{
  int32_t offset = 0;
  for (int32_t axis = axes - 1; axis > 0; --axis) {
    offset += index % extents[axis] * strides[axis];
    index /= extents[axis];
  }
  return offset + index * strides[0];
}

#endif
