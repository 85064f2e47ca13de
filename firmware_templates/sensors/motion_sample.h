/* Registers of a motion sensor as samples. */
#ifndef MOTION_SAMPLE_H
#define MOTION_SAMPLE_H

#include <stdint.h>

#include "model_features.h"
#include "tinyml_source_config.h"

enum { MOTION_AXES = 3, MOTION_BYTES = 2 * MOTION_AXES };

/* Two's complement, low byte first. */
static inline int16_t motion_step(const uint8_t *bytes)
{
  const int32_t value = bytes[0] + 256 * (int32_t)bytes[1];
  return (int16_t)(value < 32768 ? value : value - 65536);
}

/* x, y and z: steps of the sensor, or each of them times what a step means. */
#ifdef SOURCE_ACCELERATION_STEP
static inline void motion_samples(const uint8_t *bytes, float step, features_sample *samples)
{
  for (int axis = 0; axis < MOTION_AXES; axis++) {
    samples[axis] = step * (float)motion_step(&bytes[2 * axis]);
  }
}
#define MOTION_ACCELERATION(bytes, samples) \
  motion_samples((bytes), SOURCE_ACCELERATION_STEP, (samples))
#define MOTION_ROTATION(bytes, samples) motion_samples((bytes), SOURCE_ROTATION_STEP, (samples))
#else
static inline void motion_samples(const uint8_t *bytes, features_sample *samples)
{
  for (int axis = 0; axis < MOTION_AXES; axis++) {
    samples[axis] = motion_step(&bytes[2 * axis]);
  }
}
#define MOTION_ACCELERATION(bytes, samples) motion_samples((bytes), (samples))
#define MOTION_ROTATION(bytes, samples) motion_samples((bytes), (samples))
#endif

#endif
