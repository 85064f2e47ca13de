/* What the runner reads: the outputs as real numbers, or how far they are from the input. */
#ifndef TINYML_MLPERF_RESULT_H
#define TINYML_MLPERF_RESULT_H

#include <stdbool.h>

void tinyml_mlperf_result_forget(void);

/* Keeps the result of the last run: whoever uses the model next does not change it. */
void tinyml_mlperf_result_take(void);

/* Prints it; false where there is none. */
bool tinyml_mlperf_result_print(void);

#endif
