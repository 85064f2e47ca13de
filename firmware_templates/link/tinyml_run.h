/* The observed run: it stands still after each layer while the host looks. */
#ifndef TINYML_RUN_H
#define TINYML_RUN_H

#include <stdbool.h>

bool tinyml_run_is_paused(void);

/* Lets the paused run end without further pauses.  The request in work is obeyed after it. */
void tinyml_run_abort(void);

/* Answers MODEL_FAILED and returns false where the model did not start. */
bool tinyml_run_can_start(void);

/* Answers MODEL_FAILED with what model_invoke() returned. */
void tinyml_run_fail(int result);

#endif
