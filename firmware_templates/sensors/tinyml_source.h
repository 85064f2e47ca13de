/* A source of raw samples: a sensor, or a recording in its place.
 *
 * One driver implements these three functions; tinyml_sense.h reads it for the model. Samples are
 * what features_push() takes: interleaved where there are several channels. */
#ifndef TINYML_SOURCE_H
#define TINYML_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "model_features.h"

#ifdef __cplusplus
extern "C" {
#endif

enum tinyml_source_status {
  TINYML_SOURCE_OK = 0,
  TINYML_SOURCE_ABSENT = -1,  /* nothing answers, or another part than expected */
  TINYML_SOURCE_BUS = -2,     /* it answered before and does not any more */
  TINYML_SOURCE_REFUSED = -3, /* its library does not take these settings */
  TINYML_SOURCE_LOST = -4,    /* nobody read in time: the next samples come after a gap */
  TINYML_SOURCE_ENDED = -5    /* a recording is over */
};

/* Sets the sensor up; from now on it collects samples. TINYML_SOURCE_OK, or why not. May be called
 * again after a failure, and after tinyml_source_stop(). */
int tinyml_source_start(void);

/*
 * Copies up to `count` samples, whole rows of all channels only, in their order, and returns how
 * many: 0 when there are none yet. Never waits for a sample of sound or motion; a camera may take
 * a picture meanwhile. Less than 0: a status, with no samples; after TINYML_SOURCE_LOST it goes
 * on, after any other it must be started again. `count` is at least one row.
 */
int tinyml_source_read(features_sample *samples, size_t count);

/* Ends what tinyml_source_start() began; no samples are collected any more. */
void tinyml_source_stop(void);

#ifdef __cplusplus
}
#endif

#endif
