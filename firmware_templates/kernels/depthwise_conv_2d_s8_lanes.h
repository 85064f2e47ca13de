/* DEPTHWISE_CONV_2D 3x3 on int8 for cores without DSP instructions: two products from one
 * multiplication, see lane_products.h, or four sums at a time, see byte_products.h.
 *
 * One channel after another: some of its lines are copied to a plane. With two lanes it has words,
 * where the lower lane has the first half of a line's windows and the upper lane the second;
 * otherwise unsigned bytes. Lines are rows, or columns where those are longer. */
#ifndef TINYML_DEPTHWISE_CONV_2D_S8_LANES_H
#define TINYML_DEPTHWISE_CONV_2D_S8_LANES_H

#include "byte_products.h"
#include "lane_products.h"
#include "short_requantize.h"
#include "tinyml_kernel.h"

struct tinyml_depthwise_conv_2d_s8_lanes_params {
  int32_t batches; /* 1 and above, as all sizes */
  int32_t channels;
  int32_t input_lines;
  int32_t input_length; /* of a line */
  int32_t output_lines;
  int32_t output_length;
  int32_t input_line_step; /* bytes from one line to the next */
  int32_t input_step;      /* bytes from one position of a line to the next */
  int32_t output_line_step;
  int32_t output_step;
  int32_t stride;         /* in both directions: 1 or 2 */
  int32_t pad_lines;      /* padding before the first line, 0 and above */
  int32_t pad_length;     /* padding before a line's first position, 0 and above */
  int32_t padding;        /* the value of padding: the input's zero point, -128 to 127 */
  int32_t band;           /* output lines made of one filling of the plane */
  int32_t lanes;          /* products of one multiplication: 2 or 1 */
  int32_t plane_length;   /* words, or bytes, of a line in the plane */
  int32_t requantization; /* TINYML_REQUANTIZE_SHORT or another */
  int32_t shift;          /* of short requantization: 1 to 20 */
  int32_t output_offset;  /* of exact requantization: the output's zero point */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

/* What one channel needs: what sums begin with, its filter and constants. */
struct tinyml_lane_channel {
  int64_t begin;         /* with two lanes */
  int32_t bias;          /* with one */
  const int8_t *weights; /* [3, 3] */
  int32_t factor;
  int32_t offset;
  int32_t below;
};

/* Sums of two windows of each lane. */
struct tinyml_lane_windows {
  int64_t first;
  int64_t second;
};

/* Adds one line of two windows. */
TINYML_KERNEL struct tinyml_lane_windows tinyml_lane_line_of_two(struct tinyml_lane_windows sums,
                                                                 const int32_t *words,
                                                                 const int8_t *weights,
                                                                 int32_t stride)
{
  const int32_t w0 = weights[0];
  const int32_t w1 = weights[1];
  const int32_t w2 = weights[2];
  sums.first = tinyml_lane_product(sums.first, words[0], w0);
  sums.first = tinyml_lane_product(sums.first, words[1], w1);
  sums.first = tinyml_lane_product(sums.first, words[2], w2);
  sums.second = tinyml_lane_product(sums.second, words[stride], w0);
  sums.second = tinyml_lane_product(sums.second, words[stride + 1], w1);
  sums.second = tinyml_lane_product(sums.second, words[stride + 2], w2);
  return sums;
}

TINYML_KERNEL int64_t tinyml_lane_line_of_one(int64_t sums, const int32_t *words,
                                              const int8_t *weights)
{
  sums = tinyml_lane_product(sums, words[0], weights[0]);
  sums = tinyml_lane_product(sums, words[1], weights[1]);
  return tinyml_lane_product(sums, words[2], weights[2]);
}

TINYML_KERNEL int8_t
tinyml_lane_output(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params, int32_t sum,
                   const struct tinyml_lane_channel *channel)
{
  if (params->requantization == TINYML_REQUANTIZE_SHORT) {
    return (int8_t)tinyml_short_requantize(sum, channel->factor, channel->offset, params->shift);
  }
  if (params->requantization != TINYML_REQUANTIZE_EXACT) {
    const int32_t value = tinyml_signed_requantize(sum, channel->factor, channel->offset,
                                                   channel->below, params->shift);
    return (int8_t)(params->requantization == TINYML_REQUANTIZE_SIGNED
                        ? value
                        : tinyml_clamp(value, params->activation_min, params->activation_max));
  }
  return tinyml_requantize_s8(sum >> 8, channel->factor, channel->offset, params->output_offset,
                              params->activation_min, params->activation_max);
}

/* One line of a channel: output_length values. */
TINYML_KERNEL void
tinyml_lane_plane_line(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                       const int32_t *plane, const struct tinyml_lane_channel *channel,
                       int8_t *output)
{
  const int32_t length = params->plane_length;
  const int32_t stride = params->stride;
  const int32_t step = params->output_step;
  const int32_t both = params->output_length / 2; /* windows that both lanes have */
  const int32_t upper = (params->output_length - both) * step;
  const int8_t *weights = channel->weights;
  for (int32_t rest = both; rest > 1; rest -= 2) {
    struct tinyml_lane_windows sums = {channel->begin, channel->begin};
    sums = tinyml_lane_line_of_two(sums, plane, weights, stride);
    sums = tinyml_lane_line_of_two(sums, plane + length, weights + 3, stride);
    sums = tinyml_lane_line_of_two(sums, plane + 2 * length, weights + 6, stride);
    output[upper] = tinyml_lane_output(params, tinyml_upper_lane(sums.first), channel);
    output[0] = tinyml_lane_output(params, tinyml_lower_lane(sums.first), channel);
    output[upper + step] = tinyml_lane_output(params, tinyml_upper_lane(sums.second), channel);
    output[step] = tinyml_lane_output(params, tinyml_lower_lane(sums.second), channel);
    plane += 2 * stride;
    output += 2 * step;
  }
  for (int32_t rest = both % 2 + params->output_length % 2; rest > 0; --rest) {
    int64_t sums = tinyml_lane_line_of_one(channel->begin, plane, weights);
    sums = tinyml_lane_line_of_one(sums, plane + length, weights + 3);
    sums = tinyml_lane_line_of_one(sums, plane + 2 * length, weights + 6);
    if (rest > params->output_length % 2) {
      output[upper] = tinyml_lane_output(params, tinyml_upper_lane(sums), channel);
    }
    output[0] = tinyml_lane_output(params, tinyml_lower_lane(sums), channel);
    plane += stride;
    output += step;
  }
}

/* The same with bytes, four windows at a time. */
TINYML_KERNEL void
tinyml_byte_plane_line(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                       const uint8_t *plane, const struct tinyml_lane_channel *channel,
                       int8_t *output)
{
  const int32_t step = params->output_step;
  const int8_t *weights = channel->weights;
  for (int32_t rest = params->output_length; rest > 0; rest -= 4) {
    struct tinyml_four_sums sums = {channel->bias, channel->bias, channel->bias, channel->bias};
    const uint8_t *line = plane;
    sums = tinyml_sums_of_windows(sums, weights, line, params->stride);
    line += params->plane_length;
    sums = tinyml_sums_of_windows(sums, weights + 3, line, params->stride);
    line += params->plane_length;
    sums = tinyml_sums_of_windows(sums, weights + 6, line, params->stride);
    const int32_t value_0 = tinyml_lane_output(params, sums.s0 * 256, channel);
    const int32_t value_1 = tinyml_lane_output(params, sums.s1 * 256, channel);
    const int32_t value_2 = tinyml_lane_output(params, sums.s2 * 256, channel);
    const int32_t value_3 = tinyml_lane_output(params, sums.s3 * 256, channel);
    /* The first comes last: where less than four are left, the others are dropped. */
    output[rest > 3 ? 3 * step : 0] = (int8_t)value_3;
    output[rest > 2 ? 2 * step : 0] = (int8_t)value_2;
    output[rest > 1 ? step : 0] = (int8_t)value_1;
    output[0] = (int8_t)value_0;
    plane += 4 * params->stride;
    output += 4 * step;
  }
}

/* Bytes of a line of the plane. */
TINYML_KERNEL int32_t
tinyml_lane_line_bytes(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params)
{
  return params->plane_length * (params->lanes > 1 ? 4 : 1);
}

/* Copies one line of a channel to a line of the plane.
 *
 * What lies left and right of the input is padding already. */
TINYML_KERNEL void
tinyml_lane_fill_line(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                      const int8_t *input, int8_t *line)
{
  const int32_t pad = params->pad_length;
  const int32_t step = params->lanes > 1 ? 4 : 1;
  tinyml_lane_copy(line + pad * step, step, input, params->input_step,
                   tinyml_min(params->input_length, params->plane_length - pad), TINYML_LANE_FLIP);
  if (params->lanes > 1) {
    /* Position of the input that the upper lane's first word has. */
    const int32_t upper = (params->output_length + 1) / 2 * params->stride - pad;
    const int32_t first = tinyml_max(0, -upper);
    tinyml_lane_copy(line + first * step + TINYML_LANE_UPPER_BYTE, step,
                     input + (upper + first) * params->input_step, params->input_step,
                     tinyml_min(params->input_length - upper - first, params->plane_length - first),
                     0);
  }
}

/* Fills `count` lines of the plane with padding. */
TINYML_KERNEL void
tinyml_lane_padding(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params, int8_t *line,
                    int32_t count)
{
  const int32_t bytes = count * tinyml_lane_line_bytes(params);
  const int32_t lower = params->padding ^ TINYML_LANE_FLIP;
  if (params->lanes == 1) {
    memset(line, lower, (size_t)bytes);
    return;
  }
  memset(line, 0, (size_t)bytes);
  for (int32_t i = 0; i < bytes; i += 4) {
    line[i] = (int8_t)lower;
    line[i + TINYML_LANE_UPPER_BYTE] = (int8_t)params->padding;
  }
}

/* Makes one band of output lines of a channel.
 *
 * input, output: from the channel on; kept: lines that the plane holds already. */
TINYML_KERNEL void tinyml_lane_band(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                                    const int8_t *input, const struct tinyml_lane_channel *channel,
                                    int8_t *plane, int32_t line, int32_t kept, int8_t *output)
{
  const int32_t bytes = tinyml_lane_line_bytes(params);
  const int32_t band = tinyml_min(params->band, params->output_lines - line);
  const int32_t first = line * params->stride - params->pad_lines;
  for (int32_t i = kept; i < (band - 1) * params->stride + 3; ++i) {
    if (first + i < 0 || first + i >= params->input_lines) {
      tinyml_lane_padding(params, plane + i * bytes, 1);
    } else {
      tinyml_lane_fill_line(params, input + (first + i) * params->input_line_step,
                            plane + i * bytes);
    }
  }
  output += line * params->output_line_step;
  for (int32_t i = 0; i < band; ++i) {
    const void *from = plane + i * params->stride * bytes;
    if (params->lanes > 1) {
      tinyml_lane_plane_line(params, from, channel, output);
    } else {
      tinyml_byte_plane_line(params, from, channel, output);
    }
    output += params->output_line_step;
  }
}

/* Output lines `line` to `end` of a channel, band after band. */
TINYML_KERNEL void tinyml_lane_bands(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                                     const int8_t *input, const struct tinyml_lane_channel *channel,
                                     int8_t *plane, int32_t line, int32_t end, int8_t *output)
{
  const int32_t bytes = tinyml_lane_line_bytes(params);
  int32_t kept = 0;
  for (; line < end; line += params->band) {
    tinyml_lane_band(params, input, channel, plane, line, kept, output);
    /* Lines that two bands need stay in the plane. */
    kept = 3 - params->stride;
    memmove(plane, plane + params->band * params->stride * bytes, (size_t)(kept * bytes));
  }
}

/* All layers share these functions, each for some of them. */
TINYML_SHARED void
tinyml_lane_channel_1(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                      const int8_t *input, const struct tinyml_lane_channel *channel, int8_t *plane,
                      int32_t line, int32_t end, int8_t *output)
{
  struct tinyml_depthwise_conv_2d_s8_lanes_params local = *params;
  local.lanes = 2;
  local.stride = 1;
  local.requantization = TINYML_REQUANTIZE_SHORT;
  tinyml_lane_bands(&local, input, channel, plane, line, end, output);
}

TINYML_SHARED void
tinyml_lane_channel_2(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                      const int8_t *input, const struct tinyml_lane_channel *channel, int8_t *plane,
                      int32_t line, int32_t end, int8_t *output)
{
  struct tinyml_depthwise_conv_2d_s8_lanes_params local = *params;
  local.lanes = 2;
  local.stride = 2;
  local.requantization = TINYML_REQUANTIZE_SHORT;
  tinyml_lane_bands(&local, input, channel, plane, line, end, output);
}

TINYML_SHARED void
tinyml_lane_channel_other(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                          const int8_t *input, const struct tinyml_lane_channel *channel,
                          int8_t *plane, int32_t line, int32_t end, int8_t *output)
{
  struct tinyml_depthwise_conv_2d_s8_lanes_params local = *params;
  local.lanes = 2;
  tinyml_lane_bands(&local, input, channel, plane, line, end, output);
}

TINYML_SHARED void
tinyml_byte_channel_1(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                      const int8_t *input, const struct tinyml_lane_channel *channel, int8_t *plane,
                      int32_t line, int32_t end, int8_t *output)
{
  struct tinyml_depthwise_conv_2d_s8_lanes_params local = *params;
  local.lanes = 1;
  local.stride = 1;
  local.requantization = TINYML_REQUANTIZE_SHORT;
  tinyml_lane_bands(&local, input, channel, plane, line, end, output);
}

TINYML_SHARED void
tinyml_byte_channel_2(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                      const int8_t *input, const struct tinyml_lane_channel *channel, int8_t *plane,
                      int32_t line, int32_t end, int8_t *output)
{
  struct tinyml_depthwise_conv_2d_s8_lanes_params local = *params;
  local.lanes = 1;
  local.stride = 2;
  local.requantization = TINYML_REQUANTIZE_SHORT;
  tinyml_lane_bands(&local, input, channel, plane, line, end, output);
}

TINYML_SHARED void
tinyml_byte_channel_other(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                          const int8_t *input, const struct tinyml_lane_channel *channel,
                          int8_t *plane, int32_t line, int32_t end, int8_t *output)
{
  struct tinyml_depthwise_conv_2d_s8_lanes_params local = *params;
  local.lanes = 1;
  tinyml_lane_bands(&local, input, channel, plane, line, end, output);
}

/* What 128 more in every input add to a channel's sums. */
TINYML_KERNEL int32_t tinyml_lane_flipped(const int8_t *weights)
{
  int32_t sum = 0;
  for (int32_t i = 0; i < 9; ++i) {
    sum += weights[i];
  }
  return TINYML_LANE_FLIP * sum;
}

/* The function for a layer. */
TINYML_KERNEL void
tinyml_lane_any_channel(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                        const int8_t *input, const struct tinyml_lane_channel *channel,
                        int8_t *plane, int32_t line, int32_t end, int8_t *output)
{
  const int32_t two = params->lanes > 1;
  if (params->requantization != TINYML_REQUANTIZE_SHORT) {
    if (two) {
      tinyml_lane_channel_other(params, input, channel, plane, line, end, output);
    } else {
      tinyml_byte_channel_other(params, input, channel, plane, line, end, output);
    }
  } else if (params->stride == 1) {
    if (two) {
      tinyml_lane_channel_1(params, input, channel, plane, line, end, output);
    } else {
      tinyml_byte_channel_1(params, input, channel, plane, line, end, output);
    }
  } else {
    if (two) {
      tinyml_lane_channel_2(params, input, channel, plane, line, end, output);
    } else {
      tinyml_byte_channel_2(params, input, channel, plane, line, end, output);
    }
  }
}

/* Output lines `line` to `end` of all channels. */
TINYML_KERNEL void
tinyml_lane_channels(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                     const int8_t *input, const int8_t *weights, const int32_t *constants,
                     int8_t *plane, int32_t line, int32_t end, int8_t *output)
{
  const int32_t count = tinyml_requantize_constants(params->requantization);
  for (int32_t c = 0; c < params->channels; ++c) {
    const int32_t *words = constants + c * count;
    const int32_t flipped = tinyml_lane_flipped(weights + 9 * c);
    const struct tinyml_lane_channel channel = {
        .begin = (int64_t)words[0] * (1 << 24) + words[0] - flipped + (1 << 23),
        .bias = tinyml_wrapping_sub(words[0], flipped),
        .weights = weights + 9 * c,
        .factor = words[1],
        .offset = words[2],
        .below = count > 3 ? words[3] : 0,
    };
    tinyml_lane_any_channel(params, input + c, &channel, plane, line, end, output + c);
  }
}

/* With stride 1 channel after channel, so that outputs may take the place of inputs; otherwise band
 * after band.
 *
 * input: [batches, input_h, input_w, channels].
 * weights: [channels, 3, 3].
 * constants: [channels, 3 or 4], see TINYML_REQUANTIZE_SHORT.
 * scratch: [lines of the plane, plane_length] words, or bytes; aligned to 4.
 * output: [batches, output_h, output_w, channels]. */
TINYML_KERNEL void
tinyml_depthwise_conv_2d_s8_lanes(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                                  const int8_t *input, const int8_t *weights,
                                  const int32_t *constants, void *scratch, int8_t *output)
{
  const int32_t lines = params->output_lines;
  const int32_t together = params->stride == 1 ? lines : params->band;
  /* Left and right of the input planes keep it. */
  tinyml_lane_padding(params, scratch, (params->band - 1) * params->stride + 3);
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    for (int32_t line = 0; line < lines; line += together) {
      tinyml_lane_channels(params, input, weights, constants, scratch, line,
                           tinyml_min(line + together, lines), output);
    }
    input += params->input_lines * params->input_length * params->channels;
    output += params->output_lines * params->output_length * params->channels;
  }
}

#endif
