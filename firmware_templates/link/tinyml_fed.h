/* Raw samples that a computer sends for the application, as its sensor would. */
#ifndef TINYML_FED_H
#define TINYML_FED_H

#include <stddef.h>

#include "tinyml_link_config.h"

#if TINYML_FEATURES
#include "model_features.h"

/* What tinyml_fed_samples() returns where a new recording begins. */
#define TINYML_FED_ANEW (-1)
/* ... and where nobody has fed anything for some seconds. */
#define TINYML_FED_NOTHING (-2)

/* Copies the next samples, at most `most`; returns how many, 0 where there are none yet.
 * TINYML_FED_ANEW, and no samples, before the first ones of a recording: begin anew. */
int tinyml_fed_samples(features_sample *samples, size_t most);
#endif

#endif
