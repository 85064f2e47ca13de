/* DEPTHWISE_CONV_2D 3x3 on int8 for cores with DSP instructions, one channel after another.
 *
 * Four channels of some lines are copied to planes of 16-bit values, so that neighbours of the same
 * channel lie side by side; then each channel is convolved within its plane, two outputs at a time:
 * 12 multiplications for 18 products. Lines are rows, or columns where those are longer. */
#ifndef TINYML_DEPTHWISE_CONV_2D_S8_PLANES_H
#define TINYML_DEPTHWISE_CONV_2D_S8_PLANES_H

#include "dsp.h"
#include "short_requantize.h"
#include "tinyml_kernel.h"

enum { TINYML_PLANES = 4 };

struct tinyml_depthwise_conv_2d_s8_planes_params {
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
  int32_t band;           /* output lines made of one filling of the planes */
  int32_t plane_length;   /* words of a line in a plane */
  int32_t requantization; /* TINYML_REQUANTIZE_SHORT or another */
  int32_t shift;          /* of short requantization: 1 to 20 */
  int32_t output_offset;  /* of exact requantization: the output's zero point */
  int32_t activation_min; /* -128 to 127 */
  int32_t activation_max; /* -128 to 127 */
};

/* Lines that a plane holds. */
TINYML_KERNEL int32_t
tinyml_plane_lines(const struct tinyml_depthwise_conv_2d_s8_planes_params *params)
{
  return (params->band - 1) * params->stride + 3;
}

TINYML_KERNEL void tinyml_store_pair(int16_t *values, int32_t pair)
{
  memcpy(values, &pair, sizeof pair);
}

/* Bytes 0 and 2 of a word as a pair, times 256. */
TINYML_KERNEL int32_t tinyml_even_bytes(int32_t word)
{
  return (int32_t)(((uint32_t)word << 8) & 0xFF00FF00u);
}

/* Bytes 1 and 3 of a word as a pair, times 256. */
TINYML_KERNEL int32_t tinyml_odd_bytes(int32_t word)
{
  return (int32_t)((uint32_t)word & 0xFF00FF00u);
}

/* Copies one position, or two, of four channels to the planes.
 *
 * size: values of a plane. */
TINYML_KERNEL void tinyml_copy_position(const int8_t *input, int16_t *planes, int32_t size)
{
  for (int32_t c = 0; c < TINYML_PLANES; ++c) {
    planes[c * size] = (int16_t)(input[c] * 256);
  }
}

TINYML_KERNEL void tinyml_copy_positions(const int8_t *input, int32_t step, int16_t *planes,
                                         int32_t size)
{
  const int32_t first = tinyml_load_word(input);
  const int32_t second = tinyml_load_word(input + step);
  const int32_t channels_01 = tinyml_low_halves(first, second);
  const int32_t channels_23 = tinyml_high_halves(first, second);
  tinyml_store_pair(planes, tinyml_even_bytes(channels_01));
  tinyml_store_pair(planes + size, tinyml_odd_bytes(channels_01));
  tinyml_store_pair(planes + 2 * size, tinyml_even_bytes(channels_23));
  tinyml_store_pair(planes + 3 * size, tinyml_odd_bytes(channels_23));
}

/* Fills `count` lines of a plane, or of all planes, with padding. */
TINYML_KERNEL void
tinyml_fill_with_padding(const struct tinyml_depthwise_conv_2d_s8_planes_params *params,
                         int32_t *words, int32_t count)
{
  const int32_t pair = tinyml_pair(params->padding * 256, params->padding * 256);
  for (int32_t i = 0; i < count * params->plane_length; ++i) {
    words[i] = pair;
  }
}

/* Moves the lines that the next band needs again to the planes' begin: they are not read from the
 * input twice, so that outputs may take its place. Returns their number. */
TINYML_KERNEL int32_t
tinyml_keep_lines(const struct tinyml_depthwise_conv_2d_s8_planes_params *params, int32_t *planes)
{
  const int32_t kept = 3 - params->stride;
  const int32_t size = tinyml_plane_lines(params) * params->plane_length;
  const int32_t from = params->band * params->stride * params->plane_length;
  const size_t bytes = (size_t)params->plane_length * sizeof *planes;
  for (int32_t c = 0; c < TINYML_PLANES; ++c) {
    for (int32_t i = 0; i < kept; ++i) { /* a line lies over no other */
      int32_t *to = planes + c * size + i * params->plane_length;
      memcpy(to, to + from, bytes);
    }
  }
  return kept;
}

/* Copies the lines from `line` on, of four channels, to the planes, but not the first `kept`.
 *
 * What lies left and right of the input is padding already. */
TINYML_KERNEL void
tinyml_fill_planes(const struct tinyml_depthwise_conv_2d_s8_planes_params *params,
                   const int8_t *input, int32_t line, int32_t kept, int32_t *planes)
{
  const int32_t lines = tinyml_plane_lines(params);
  const int32_t size = lines * params->plane_length;
  for (int32_t i = kept; i < lines; ++i) {
    int32_t *words = planes + i * params->plane_length;
    if (line + i < 0 || line + i >= params->input_lines) {
      for (int32_t c = 0; c < TINYML_PLANES; ++c) {
        tinyml_fill_with_padding(params, words + c * size, 1);
      }
      continue;
    }
    const int8_t *from = input + (line + i) * params->input_line_step;
    int16_t *to = (int16_t *)words + params->pad_length;
    /* Inputs behind the last window are in no plane. */
    const int32_t count =
        tinyml_min(params->input_length, 2 * params->plane_length - params->pad_length);
    for (int32_t rest = count; rest > 1; rest -= 2) {
      tinyml_copy_positions(from, params->input_step, to, 2 * size);
      from += 2 * params->input_step;
      to += 2;
    }
    if (count % 2 != 0) {
      tinyml_copy_position(from, to, 2 * size);
    }
  }
}

/* The filter of one channel: of each line the pairs (w0, w1) and (w1, w2). */
struct tinyml_plane_filter {
  int32_t w01;
  int32_t w12;
};

/* weights: of one line, [3]; the byte behind them is read, too. */
TINYML_KERNEL struct tinyml_plane_filter tinyml_plane_filter(const int8_t *weights)
{
  const int32_t word = tinyml_load_word(weights);
  const int32_t w02 = tinyml_sxtb16(word);
  const int32_t w1 = tinyml_sxtb16_odd(word);
  const struct tinyml_plane_filter filter = {.w01 = tinyml_low_halves(w02, w1),
                                             .w12 = tinyml_low_and_high(w1, w02)};
  return filter;
}

/* What one channel needs: its filter and constants. */
struct tinyml_plane_channel {
  struct tinyml_plane_filter filter_0;
  struct tinyml_plane_filter filter_1;
  struct tinyml_plane_filter filter_2;
  int32_t bias;
  int32_t factor;
  int32_t offset;
  int32_t below;
};

/* Sums of two outputs. */
struct tinyml_plane_sums {
  int32_t first;
  int32_t second;
};

/* Adds one line of two windows. */
TINYML_KERNEL struct tinyml_plane_sums tinyml_plane_window(struct tinyml_plane_sums sums,
                                                           const int32_t *words,
                                                           struct tinyml_plane_filter filter,
                                                           int32_t stride)
{
  const int32_t a = words[0];
  const int32_t b = words[1];
  sums.first = tinyml_smlad(a, filter.w01, sums.first);
  sums.first = tinyml_smlabt(b, filter.w12, sums.first);
  if (stride == 1) {
    sums.second = tinyml_smlatb(a, filter.w01, sums.second);
    sums.second = tinyml_smlad(b, filter.w12, sums.second);
  } else {
    sums.second = tinyml_smlad(b, filter.w01, sums.second);
    sums.second = tinyml_smlabt(words[2], filter.w12, sums.second);
  }
  return sums;
}

#if TINYML_DSP_ASSEMBLY
enum { TINYML_LARGEST_OFFSET = 1020 }; /* of LDRD */

/* One line of two windows; s0 and s1: registers to add to. */
#define TINYML_PLANE_LINE_1(offset, w01, w12, s0, s1) \
  "ldrd %[a], %[b], [%[plane], #" offset "]\n\t"      \
  "smlad %[sum0], %[a], %[" w01 "], %[" s0 "]\n\t"    \
  "smlatb %[sum1], %[a], %[" w01 "], %[" s1 "]\n\t"   \
  "smlabt %[sum0], %[b], %[" w12 "], %[sum0]\n\t"     \
  "smlad %[sum1], %[b], %[" w12 "], %[sum1]\n\t"

#define TINYML_PLANE_LINE_2(offset, w01, w12, s0, s1) \
  "ldrd %[a], %[b], [%[plane], #" offset "]\n\t"      \
  "smlad %[sum0], %[a], %[" w01 "], %[" s0 "]\n\t"    \
  "ldr %[a], [%[plane], #8 + " offset "]\n\t"         \
  "smlad %[sum1], %[b], %[" w01 "], %[" s1 "]\n\t"    \
  "smlabt %[sum0], %[b], %[" w12 "], %[sum0]\n\t"     \
  "smlabt %[sum1], %[a], %[" w12 "], %[sum1]\n\t"

#define TINYML_PLANE_BIASES "ldrd %[sum0], %[sum1], %[bias]\n\t"

/* What the loop finds no registers for: pairs, as LDRD takes both. */
struct tinyml_plane_memory {
  int32_t factor;
  int32_t offset;
  const int32_t *end;
  int32_t step;
};

/* Two outputs a turn, in 27 or 31 instructions, until the plane ends.
 * start, s0, s1, bias: either the bias is in a register, which saves an instruction, or in memory:
 * not always does GCC find the register, least where it optimises for size. */
#define TINYML_PLANE_LOOP(line, start, s0, s1, bias_operand)                                    \
  __asm__ volatile(                                                                             \
      "1:\n\t" start line("0", "w0", "w1", s0, s1) line("%c[next]", "w2", "w3", "sum0", "sum1") \
          line("%c[last]", "w4", "w5", "sum0",                                                  \
               "sum1") "ldrd %[a], %[b], %[numbers]\n\t"                                        \
                       "smmla %[sum0], %[sum0], %[a], %[b]\n\t"                                 \
                       "smmla %[sum1], %[sum1], %[a], %[b]\n\t"                                 \
                       "ldrd %[a], %[b], %[end]\n\t"                                            \
                       "ssat %[sum0], #8, %[sum0], asr %[shift]\n\t"                            \
                       "ssat %[sum1], #8, %[sum1], asr %[shift]\n\t"                            \
                       "strb %[sum0], [%[output]]\n\t"                                          \
                       "strb %[sum1], [%[output], %[b]]\n\t"                                    \
                       "add %[plane], %[plane], %[advance]\n\t"                                 \
                       "add %[output], %[output], %[b], lsl #1\n\t"                             \
                       "cmp %[plane], %[a]\n\t"                                                 \
                       "bne 1b"                                                                 \
      : [plane] "+r"(plane), [output] "+r"(output), [sum0] "=&r"(sum0), [sum1] "=&r"(sum1),     \
        [a] "=&r"(a), [b] "=&r"(b)                                                              \
      : [bias] bias_operand, [w0] "r"(channel->filter_0.w01), [w1] "r"(channel->filter_0.w12),  \
        [w2] "r"(channel->filter_1.w01), [w3] "r"(channel->filter_1.w12),                       \
        [w4] "r"(channel->filter_2.w01), [w5] "r"(channel->filter_2.w12),                       \
        [numbers] "m"(memory.factor), [second] "m"(memory.offset), [end] "m"(memory.end),       \
        [fourth] "m"(memory.step), [next] "i"(params->plane_length * 4),                        \
        [last] "i"(params->plane_length * 8), [shift] "i"(params->shift),                       \
        [advance] "i"(params->stride * 4)                                                       \
      : "cc", "memory")
#endif

TINYML_KERNEL struct tinyml_plane_sums
tinyml_plane_windows(const struct tinyml_depthwise_conv_2d_s8_planes_params *params,
                     const int32_t *plane, const struct tinyml_plane_channel *channel)
{
  const int32_t length = params->plane_length;
  struct tinyml_plane_sums sums = {channel->bias, channel->bias};
  sums = tinyml_plane_window(sums, plane, channel->filter_0, params->stride);
  sums = tinyml_plane_window(sums, plane + length, channel->filter_1, params->stride);
  return tinyml_plane_window(sums, plane + 2 * length, channel->filter_2, params->stride);
}

TINYML_KERNEL int8_t
tinyml_plane_output(const struct tinyml_depthwise_conv_2d_s8_planes_params *params, int32_t sum,
                    const struct tinyml_plane_channel *channel)
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

/* Convolves one line of a channel: output_length values. */
TINYML_KERNEL void tinyml_plane_line(const struct tinyml_depthwise_conv_2d_s8_planes_params *params,
                                     const int32_t *plane,
                                     const struct tinyml_plane_channel *channel, int8_t *output)
{
  const int32_t *const end = plane + params->output_length / 2 * params->stride;
#if TINYML_DSP_ASSEMBLY
  if (params->requantization == TINYML_REQUANTIZE_SHORT && params->output_length > 1 &&
      params->plane_length * 8 + 8 <= TINYML_LARGEST_OFFSET) {
    const struct tinyml_plane_memory memory = {
        .factor = channel->factor,
        .offset = channel->offset,
        .end = end,
        .step = params->output_step,
    };
    int32_t sum0, sum1, a, b;
    if (params->stride == 1) {
#if defined(__OPTIMIZE_SIZE__)
      const int32_t biases[2] = {channel->bias, channel->bias};
      TINYML_PLANE_LOOP(TINYML_PLANE_LINE_1, TINYML_PLANE_BIASES, "sum0", "sum1", "m"(biases));
#else
      TINYML_PLANE_LOOP(TINYML_PLANE_LINE_1, "", "bias", "bias", "r"(channel->bias));
#endif
    } else {
      const int32_t biases[2] = {channel->bias, channel->bias};
      TINYML_PLANE_LOOP(TINYML_PLANE_LINE_2, TINYML_PLANE_BIASES, "sum0", "sum1", "m"(biases));
    }
    plane = end;
  }
#endif
  while (plane != end) {
    const struct tinyml_plane_sums sums = tinyml_plane_windows(params, plane, channel);
    plane += params->stride;
    output[0] = tinyml_plane_output(params, sums.first, channel);
    output[params->output_step] = tinyml_plane_output(params, sums.second, channel);
    output += 2 * params->output_step;
  }
  if (params->output_length % 2 != 0) {
    const struct tinyml_plane_sums sums = tinyml_plane_windows(params, plane, channel);
    output[0] = tinyml_plane_output(params, sums.first, channel);
  }
}

/* Makes one band of output lines of four channels.
 *
 * input, output: from the first of the channels on; weights, constants: of that channel.
 * kept: lines that the planes hold already. */
TINYML_KERNEL void tinyml_plane_band(const struct tinyml_depthwise_conv_2d_s8_planes_params *params,
                                     const int8_t *input, const int8_t *weights,
                                     const int32_t *constants, int32_t *planes, int32_t line,
                                     int32_t kept, int8_t *output)
{
  const int32_t size = tinyml_plane_lines(params) * params->plane_length;
  const int32_t count = tinyml_requantize_constants(params->requantization);
  const int32_t band = tinyml_min(params->band, params->output_lines - line);
  tinyml_fill_planes(params, input, line * params->stride - params->pad_lines, kept, planes);
  for (int32_t c = 0; c < TINYML_PLANES; ++c) {
    const struct tinyml_plane_channel channel = {
        .filter_0 = tinyml_plane_filter(weights),
        .filter_1 = tinyml_plane_filter(weights + 3),
        .filter_2 = tinyml_plane_filter(weights + 6),
        .bias = constants[0],
        .factor = constants[1],
        .offset = constants[2],
        .below = count > 3 ? constants[3] : 0,
    };
    const int32_t *plane = planes + c * size;
    int8_t *to = output + line * params->output_line_step + c;
    for (int32_t i = 0; i < band; ++i) {
      tinyml_plane_line(params, plane, &channel, to);
      plane += params->stride * params->plane_length;
      to += params->output_line_step;
    }
    weights += 9;
    constants += count;
  }
}

/* One image. With stride 1 four channels after four: lines that two bands need stay in the planes,
 * so that outputs may take the place of inputs. Otherwise band after band. */
TINYML_KERNEL void
tinyml_plane_image(const struct tinyml_depthwise_conv_2d_s8_planes_params *params,
                   const int8_t *input, const int8_t *weights, const int32_t *constants,
                   int32_t *planes, int8_t *output)
{
  const int32_t count = tinyml_requantize_constants(params->requantization);
  const int32_t bands = (params->output_lines + params->band - 1) / params->band;
  const int32_t fours = (params->channels + TINYML_PLANES - 1) / TINYML_PLANES;
  for (int32_t i = 0; i < bands * fours; ++i) {
    const int32_t band = params->stride == 1 ? i % bands : i / fours;
    const int32_t four = params->stride == 1 ? i / bands : i % fours;
    const int32_t line = band * params->band;
    /* The last four channels, where their number is no multiple of four. */
    const int32_t c = tinyml_min(four * TINYML_PLANES, params->channels - TINYML_PLANES);
    const int32_t kept = params->stride == 1 && band > 0 ? tinyml_keep_lines(params, planes) : 0;
    tinyml_plane_band(params, input + c, weights + c * 9, constants + c * count, planes, line, kept,
                      output + c);
  }
}

/* input: [batches, input_h, input_w, channels], 4 channels or more.
 * weights: [channels, 3, 3] and one byte more.
 * constants: [channels, 3 or 4], see TINYML_REQUANTIZE_SHORT.
 * scratch: [TINYML_PLANES, lines of a plane, plane_length] words.
 * output: [batches, output_h, output_w, channels]. */
TINYML_KERNEL void
tinyml_depthwise_conv_2d_s8_planes(const struct tinyml_depthwise_conv_2d_s8_planes_params *params,
                                   const int8_t *input, const int8_t *weights,
                                   const int32_t *constants, void *scratch, int8_t *output)
{
  tinyml_fill_with_padding(params, scratch, TINYML_PLANES * tinyml_plane_lines(params));
  for (int32_t batch = 0; batch < params->batches; ++batch) {
    tinyml_plane_image(params, input, weights, constants, scratch, output);
    input += params->input_lines * params->input_length * params->channels;
    output += params->output_lines * params->output_length * params->channels;
  }
}

#endif
