/* What the runner loads with `db`: the input of the model, as the benchmark's files hold it. */
#ifndef TINYML_MLPERF_DATA_H
#define TINYML_MLPERF_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tinyml_mlperf_taken {
  TINYML_MLPERF_TAKEN,
  TINYML_MLPERF_COMPLETE,    /* that was the last byte; what follows it is ignored */
  TINYML_MLPERF_ODD_DIGITS,  /* nothing was taken */
  TINYML_MLPERF_BAD_DIGIT,   /* nothing was taken */
  TINYML_MLPERF_NOT_EXPECTED /* nothing was taken */
};

/* Forgets what was loaded and waits for so many bytes; false where the input has fewer. */
bool tinyml_mlperf_data_expect(size_t bytes);

/* Takes bytes of two hexadecimal digits each. */
enum tinyml_mlperf_taken tinyml_mlperf_data_take(const char *digits);

/* Bytes loaded so far, and one of them. */
size_t tinyml_mlperf_data_loaded(void);
uint8_t tinyml_mlperf_data_at(size_t index);

/* Makes the stored input of the model of them; false where not all of it is loaded. */
bool tinyml_mlperf_data_prepare(void);

/* Copies the prepared input to where the model reads it: a run may overwrite it there. */
void tinyml_mlperf_data_to_input(void);

/* An input of float32, TINYML_MLPERF_FLOAT only. */
float tinyml_mlperf_data_value(size_t index);

#endif
