/* Numbers that sum up a channel of a window.
 *
 * values: [count], each `step` after the one before.  count: 2 or more. */
#ifndef TINYML_STATISTICS_F32_H
#define TINYML_STATISTICS_F32_H

#include "float_math.h"

TINYML_KERNEL float tinyml_mean_f32(const float *values, int32_t count, int32_t step)
{
  float sum = 0.0f;
  for (int32_t i = 0; i < count; ++i) {
    sum += values[i * step];
  }
  return sum * (1.0f / (float)count);
}

/* Mean of the absolute values. */
TINYML_KERNEL float tinyml_mean_abs_f32(const float *values, int32_t count, int32_t step)
{
  float sum = 0.0f;
  for (int32_t i = 0; i < count; ++i) {
    const float value = values[i * step];
    sum += value < 0.0f ? -value : value;
  }
  return sum * (1.0f / (float)count);
}

/* Root of the mean squared distance from `centre`. */
TINYML_KERNEL float tinyml_deviation_f32(const float *values, int32_t count, int32_t step,
                                         float centre)
{
  float sum = 0.0f;
  for (int32_t i = 0; i < count; ++i) {
    const float distance = values[i * step] - centre;
    sum += distance * distance;
  }
  return tinyml_sqrt(sum * (1.0f / (float)count));
}

TINYML_KERNEL float tinyml_min_f32(const float *values, int32_t count, int32_t step)
{
  float least = values[0];
  for (int32_t i = 1; i < count; ++i) {
    least = values[i * step] < least ? values[i * step] : least;
  }
  return least;
}

TINYML_KERNEL float tinyml_max_f32(const float *values, int32_t count, int32_t step)
{
  float most = values[0];
  for (int32_t i = 1; i < count; ++i) {
    most = values[i * step] > most ? values[i * step] : most;
  }
  return most;
}

/* How often the sign changes; 0 counts as positive. */
TINYML_KERNEL float tinyml_zero_crossings_f32(const float *values, int32_t count, int32_t step)
{
  int32_t crossings = 0;
  for (int32_t i = 1; i < count; ++i) {
    crossings += (values[i * step] < 0.0f) != (values[(i - 1) * step] < 0.0f);
  }
  return (float)crossings;
}

/* How many values above `floor` are larger than the one before and not smaller than the next. */
TINYML_KERNEL float tinyml_peaks_f32(const float *values, int32_t count, int32_t step, float floor)
{
  int32_t peaks = 0;
  for (int32_t i = 1; i + 1 < count; ++i) {
    const float value = values[i * step];
    peaks += value > floor && value > values[(i - 1) * step] && value >= values[(i + 1) * step];
  }
  return (float)peaks;
}

#endif
