/* DEPTHWISE_CONV_2D on int8 for cores with vector instructions, one output for each channel.
 *
 * 16 neighbouring values of an output row are made together, whatever pixels they belong to: with a
 * stride of 1, or columns sorted by it, what a tap needs lies side by side, too. Where weights
 * would repeat too late, 16 channels of one pixel. */
#ifndef TINYML_DEPTHWISE_CONV_2D_S8_MVE_H
#define TINYML_DEPTHWISE_CONV_2D_S8_MVE_H

#include "mve.h"
#include "mve_requantize.h"
#include "mve_window.h"
#include "tinyml_kernel.h"

struct tinyml_depthwise_conv_2d_s8_mve_params {
  int32_t batches; /* 1 and above, as all sizes */
  int32_t output_h;
  int32_t segments;      /* of an output row: 1, or one a pixel */
  int32_t segment_bytes; /* of output */
  int32_t filter_h;
  int32_t filter_w;
  int32_t dilation_h;
  int32_t dilation_w;
  int32_t group; /* taps whose products fit 16 bits together */
  struct tinyml_mve_window_params window;
  struct tinyml_mve_requantize_params requantize;
};

/* Where a tap lies in its row of the window. */
TINYML_KERNEL int32_t
tinyml_mve_tap_offset(const struct tinyml_depthwise_conv_2d_s8_mve_params *params, int32_t tap)
{
  const struct tinyml_mve_window_params *window = &params->window;
  const int32_t column = tap % params->filter_w * params->dilation_w;
  return column % window->phases * window->phase_bytes + column / window->phases * window->input_c;
}

/* The row of `tap`: `row`, or the next one where the tap is the first of that. */
TINYML_KERNEL const int8_t *
tinyml_mve_tap_row(const struct tinyml_depthwise_conv_2d_s8_mve_params *params, int32_t tap,
                   const int8_t *row)
{
  if (tap > 0 && tap % params->filter_w == 0) {
    row += params->dilation_h * tinyml_mve_row_bytes(&params->window);
    TINYML_MVE_HIDE(row);
  }
  return row;
}

/* 16 outputs. */
TINYML_KERNEL int8x16_t
tinyml_mve_depthwise(const struct tinyml_depthwise_conv_2d_s8_mve_params *params,
                     const int8_t *window, const int8_t *weights, const int32_t *constants)
{
  const int32_t taps = params->filter_h * params->filter_w;
  const int8_t *row = window;
  TINYML_MVE_HIDE(row);
  TINYML_MVE_HIDE(weights);
  int32x4_t sums_0 = vdupq_n_s32(0), sums_1 = sums_0, sums_2 = sums_0, sums_3 = sums_0;
  TINYML_MVE_UNROLL
  for (int32_t tap = 0; tap < taps; tap += params->group) {
    row = tinyml_mve_tap_row(params, tap, row);
    const int8x16_t bytes = vldrbq_s8(row + tinyml_mve_tap_offset(params, tap));
    const int8x16_t filter = vldrbq_s8(weights + 16 * tap);
    int16x8_t even = vmullbq_int_s8(bytes, filter), odd = vmulltq_int_s8(bytes, filter);
    const int32_t end = tinyml_min(tap + params->group, taps);
    TINYML_MVE_UNROLL
    for (int32_t next = tap + 1; next < end; ++next) {
      /* The bytes are loaded twice, as there is no vector left to keep them in. */
      TINYML_MVE_KEEP_2(even, odd);
      row = tinyml_mve_tap_row(params, next, row);
      const int8_t *bytes_of_tap = row + tinyml_mve_tap_offset(params, next);
      const int8x16_t next_filter = vldrbq_s8(weights + 16 * next);
      odd = vaddq_s16(odd, vmulltq_int_s8(vldrbq_s8(bytes_of_tap), next_filter));
      TINYML_MVE_KEEP_2(even, odd);
      even = vaddq_s16(even, vmullbq_int_s8(vldrbq_s8(bytes_of_tap), next_filter));
    }
    if (tap == 0) {
      sums_0 = vmovlbq_s16(even);
      sums_1 = vmovlbq_s16(odd);
      sums_2 = vmovltq_s16(even);
      sums_3 = vmovltq_s16(odd);
    } else {
      sums_0 = vaddq_s32(sums_0, vmovlbq_s16(even));
      sums_1 = vaddq_s32(sums_1, vmovlbq_s16(odd));
      sums_2 = vaddq_s32(sums_2, vmovltq_s16(even));
      sums_3 = vaddq_s32(sums_3, vmovltq_s16(odd));
    }
    TINYML_MVE_KEEP_4(sums_0, sums_1, sums_2, sums_3);
  }
  return tinyml_mve_requantize(&params->requantize, sums_0, sums_1, sums_2, sums_3, constants);
}

/* One segment of an output row. */
TINYML_KERNEL void
tinyml_mve_depthwise_segment(const struct tinyml_depthwise_conv_2d_s8_mve_params *params,
                             const int8_t *window, const int8_t *weights, const int32_t *constants,
                             int8_t *output)
{
  const int32_t weights_size = 16 * params->filter_h * params->filter_w;
  const int32_t constants_size = tinyml_mve_constants_size(&params->requantize);
  const int8_t *const end = weights + params->requantize.blocks * weights_size;
  const int8_t *filters = weights;
  const int32_t *at = constants;
  for (int32_t i = params->segment_bytes / 16; i > 0; --i) {
    vstrbq_s8(output, tinyml_mve_depthwise(params, window, filters, at));
    window += 16;
    output += 16;
    filters += weights_size;
    at += constants_size;
    if (filters == end) {
      filters = weights;
      at = constants;
    }
  }
  if (params->segment_bytes % 16 != 0) {
    const mve_pred16_t rest = vctp8q((uint32_t)params->segment_bytes % 16);
    tinyml_mve_store_some(output, tinyml_mve_depthwise(params, window, filters, at), rest);
  }
}

/* input: [batches, input_h, input_w, input_c].
 * weights: [blocks, filter_h * filter_w, 16].
 * constants: see tinyml_mve_requantize_params.
 * scratch: the window's rows and 15 bytes.
 * output: [batches, output_h, segments, segment_bytes]. */
TINYML_KERNEL void
tinyml_depthwise_conv_2d_s8_mve(const struct tinyml_depthwise_conv_2d_s8_mve_params *params,
                                const int8_t *input, const int8_t *weights,
                                const int32_t *constants, void *scratch, int8_t *output)
{
  int8_t *window = scratch;
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    tinyml_mve_first_window(&params->window, input, window);
    for (int32_t out_y = 0; out_y < params->output_h; ++out_y) {
      if (out_y > 0) {
        tinyml_mve_next_window(&params->window, input, out_y, window);
      }
      for (int32_t segment = 0; segment < params->segments; ++segment) {
        tinyml_mve_depthwise_segment(params, window + segment * params->window.input_c, weights,
                                     constants, output);
        output += params->segment_bytes;
      }
    }
    input += params->window.input_h * params->window.input_w * params->window.input_c;
  }
}

#endif
