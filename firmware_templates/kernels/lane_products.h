/* Two products from one multiplication, for cores with long multiplication but no DSP instructions.
 *
 * Inputs of two outputs lie in one word, 24 bits apart: X = (x0 + 128) + 2^24 x1. One SMLAL adds X
 * * w to 64 bits, which are two sums: that of (x0 + 128) w in the lower 24 bits, that of x1 w above
 * them. What the lower lane lacks of its true sum, and 2^23 that keep it from borrowing, are in the
 * value that sums begin with; so lanes are exact wherever true sums fit 24 bits, whatever they go
 * through on their way. */
#ifndef TINYML_LANE_PRODUCTS_H
#define TINYML_LANE_PRODUCTS_H

#include "tinyml_kernel.h"

enum {
  TINYML_LANE_FLIP = 0x80,   /* turns a byte x into x + 128, as an unsigned byte */
  TINYML_LANE_UPPER_BYTE = 3 /* of a word: where x1 lies */
};

/* Adds the two products of a word and a weight. */
TINYML_KERNEL int64_t tinyml_lane_product(int64_t sums, int32_t word, int32_t weight)
{
  return sums + (int64_t)word * weight;
}

/* The lower lane's sum, times 256. */
TINYML_KERNEL int32_t tinyml_lower_lane(int64_t sums)
{
  return (int32_t)(((uint32_t)sums << 8) ^ UINT32_C(0x80000000));
}

/* The upper lane's sum, times 256. */
TINYML_KERNEL int32_t tinyml_upper_lane(int64_t sums)
{
  return (int32_t)((uint32_t)(sums >> 24) << 8);
}

/* Copies `count` bytes to every `step`-th byte of a lane, turned over by `flip`; returns where the
 * lane goes on. */
TINYML_KERNEL int8_t *tinyml_lane_copy(int8_t *lane, int32_t step, const int8_t *bytes,
                                       int32_t bytes_step, int32_t count, int32_t flip)
{
  /* Four at a time, as compilers leave loops rolled at -O2. */
  for (; count > 3; count -= 4) {
    lane[0] = (int8_t)(bytes[0] ^ flip);
    lane[step] = (int8_t)(bytes[bytes_step] ^ flip);
    lane[2 * step] = (int8_t)(bytes[2 * bytes_step] ^ flip);
    lane[3 * step] = (int8_t)(bytes[3 * bytes_step] ^ flip);
    bytes += 4 * bytes_step;
    lane += 4 * step;
  }
  for (; count > 0; --count) {
    *lane = (int8_t)(*bytes ^ flip);
    bytes += bytes_step;
    lane += step;
  }
  return lane;
}

/* Fills `count` bytes of a lane. */
TINYML_KERNEL int8_t *tinyml_lane_fill(int8_t *lane, int32_t step, int32_t value, int32_t count)
{
  for (; count > 0; --count) {
    *lane = (int8_t)value;
    lane += step;
  }
  return lane;
}

#endif
