/* DEPTHWISE_CONV_2D 3x3 on int8 for cores with long multiplication but no DSP instructions: two
 * products from one multiplication, see lane_products.h.
 *
 * One channel after another: some of its lines are copied to a plane of words, where the lower lane
 * has the first half of a line's windows and the upper lane the second. Lines are rows, or columns
 * where those are longer. */
#ifndef TINYML_DEPTHWISE_CONV_2D_S8_LANES_H
#define TINYML_DEPTHWISE_CONV_2D_S8_LANES_H

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
  int32_t plane_length;   /* words of a line in the plane */
  int32_t requantization; /* TINYML_REQUANTIZE_SHORT or another */
  int32_t shift;          /* of short requantization: 1 to 20 */
  int32_t output_offset;  /* of exact requantization: the output's zero point */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

/* What one channel needs: what sums begin with, its filter and constants. */
struct tinyml_lane_channel {
  int64_t begin;
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

/* Copies one line of a channel to both lanes of a line of the plane.
 *
 * What lies left and right of the input is padding already. */
TINYML_KERNEL void
tinyml_lane_fill_line(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                      const int8_t *input, int32_t *words)
{
  const int32_t pad = params->pad_length;
  /* Position of the input that the upper lane's first word has. */
  const int32_t upper = (params->output_length + 1) / 2 * params->stride - pad;
  const int32_t first = tinyml_max(0, -upper);
  tinyml_lane_copy((int8_t *)(words + pad), 4, input, params->input_step,
                   tinyml_min(params->input_length, params->plane_length - pad), TINYML_LANE_FLIP);
  tinyml_lane_copy((int8_t *)(words + first) + TINYML_LANE_UPPER_BYTE, 4,
                   input + (upper + first) * params->input_step, params->input_step,
                   tinyml_min(params->input_length - upper - first, params->plane_length - first),
                   0);
}

TINYML_KERNEL void
tinyml_lane_padding(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params, int32_t *words,
                    int32_t count)
{
  const uint32_t lower = (uint8_t)(params->padding ^ TINYML_LANE_FLIP);
  const int32_t word = (int32_t)(lower + ((uint32_t)params->padding << 24));
  for (int32_t i = 0; i < count; ++i) {
    words[i] = word;
  }
}

/* Makes one band of output lines of a channel.
 *
 * input, output: from the channel on; kept: lines that the plane holds already. */
TINYML_KERNEL void tinyml_lane_band(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                                    const int8_t *input, const struct tinyml_lane_channel *channel,
                                    int32_t *plane, int32_t line, int32_t kept, int8_t *output)
{
  const int32_t band = tinyml_min(params->band, params->output_lines - line);
  const int32_t first = line * params->stride - params->pad_lines;
  for (int32_t i = kept; i < (band - 1) * params->stride + 3; ++i) {
    int32_t *words = plane + i * params->plane_length;
    if (first + i < 0 || first + i >= params->input_lines) {
      tinyml_lane_padding(params, words, params->plane_length);
    } else {
      tinyml_lane_fill_line(params, input + (first + i) * params->input_line_step, words);
    }
  }
  for (int32_t i = 0; i < band; ++i) {
    tinyml_lane_plane_line(params, plane + i * params->stride * params->plane_length, channel,
                           output + (line + i) * params->output_line_step);
  }
}

/* Output lines `line` to `end` of a channel, band after band. */
TINYML_KERNEL void tinyml_lane_bands(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                                     const int8_t *input, const struct tinyml_lane_channel *channel,
                                     int32_t *plane, int32_t line, int32_t end, int8_t *output)
{
  const int32_t words = params->plane_length;
  int32_t kept = 0;
  for (; line < end; line += params->band) {
    tinyml_lane_band(params, input, channel, plane, line, kept, output);
    /* Lines that two bands need stay in the plane. */
    kept = 3 - params->stride;
    memmove(plane, plane + params->band * params->stride * words,
            (size_t)(kept * words) * sizeof *plane);
  }
}

/* All layers share these functions. */
TINYML_SHARED void
tinyml_lane_channel_1(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                      const int8_t *input, const struct tinyml_lane_channel *channel,
                      int32_t *plane, int32_t line, int32_t end, int8_t *output)
{
  struct tinyml_depthwise_conv_2d_s8_lanes_params local = *params;
  local.stride = 1;
  local.requantization = TINYML_REQUANTIZE_SHORT;
  tinyml_lane_bands(&local, input, channel, plane, line, end, output);
}

TINYML_SHARED void
tinyml_lane_channel_2(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                      const int8_t *input, const struct tinyml_lane_channel *channel,
                      int32_t *plane, int32_t line, int32_t end, int8_t *output)
{
  struct tinyml_depthwise_conv_2d_s8_lanes_params local = *params;
  local.stride = 2;
  local.requantization = TINYML_REQUANTIZE_SHORT;
  tinyml_lane_bands(&local, input, channel, plane, line, end, output);
}

TINYML_SHARED void
tinyml_lane_channel_other(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                          const int8_t *input, const struct tinyml_lane_channel *channel,
                          int32_t *plane, int32_t line, int32_t end, int8_t *output)
{
  tinyml_lane_bands(params, input, channel, plane, line, end, output);
}

/* What the sums of a channel begin with; bias: with the zero point folded in. */
TINYML_KERNEL int64_t tinyml_lane_begin(int32_t bias, const int8_t *weights)
{
  int32_t sum = 0;
  for (int32_t i = 0; i < 9; ++i) {
    sum += weights[i];
  }
  return (int64_t)bias * (1 << 24) + bias - TINYML_LANE_FLIP * sum + (1 << 23);
}

/* Output lines `line` to `end` of all channels. */
TINYML_KERNEL void
tinyml_lane_channels(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                     const int8_t *input, const int8_t *weights, const int32_t *constants,
                     int32_t *plane, int32_t line, int32_t end, int8_t *output)
{
  const int32_t count = tinyml_requantize_constants(params->requantization);
  for (int32_t c = 0; c < params->channels; ++c) {
    const int32_t *words = constants + c * count;
    const struct tinyml_lane_channel channel = {
        .begin = tinyml_lane_begin(words[0], weights + 9 * c),
        .weights = weights + 9 * c,
        .factor = words[1],
        .offset = words[2],
        .below = count > 3 ? words[3] : 0,
    };
    if (params->requantization != TINYML_REQUANTIZE_SHORT) {
      tinyml_lane_channel_other(params, input + c, &channel, plane, line, end, output + c);
    } else if (params->stride == 1) {
      tinyml_lane_channel_1(params, input + c, &channel, plane, line, end, output + c);
    } else {
      tinyml_lane_channel_2(params, input + c, &channel, plane, line, end, output + c);
    }
  }
}

/* With stride 1 channel after channel, so that outputs may take the place of inputs; otherwise band
 * after band.
 *
 * input: [batches, input_h, input_w, channels].
 * weights: [channels, 3, 3].
 * constants: [channels, 3 or 4], see TINYML_REQUANTIZE_SHORT.
 * scratch: [lines of the plane, plane_length] words.
 * output: [batches, output_h, output_w, channels]. */
TINYML_KERNEL void
tinyml_depthwise_conv_2d_s8_lanes(const struct tinyml_depthwise_conv_2d_s8_lanes_params *params,
                                  const int8_t *input, const int8_t *weights,
                                  const int32_t *constants, void *scratch, int8_t *output)
{
  const int32_t lines = params->output_lines;
  const int32_t together = params->stride == 1 ? lines : params->band;
  /* Left and right of the input planes keep it. */
  tinyml_lane_padding(params, scratch,
                      ((params->band - 1) * params->stride + 3) * params->plane_length);
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
