#include "tinyml_mlperf_result.h"

#include <stddef.h>
#include <stdint.h>

#include "model.h"
#include "tinyml_mlperf_config.h"
#include "tinyml_mlperf_data.h"
#include "tinyml_print.h"

static bool known;

void tinyml_mlperf_result_forget(void) { known = false; }

static int32_t steps_from_zero(size_t index)
{
  const struct model_tensor *output = model_output(0);
  return ((const int8_t *)output->data)[index] - output->zero_point;
}

#if TINYML_MLPERF_FLOAT
/* An autoencoder: the mean of the squared differences between output and input, in this order. */
static float error;

void tinyml_mlperf_result_take(void)
{
  const float scale = model_output(0)->scale;
  float sum = 0.0f;
  for (size_t i = 0; i < TINYML_MLPERF_OUTPUTS; i++) {
    const float difference = (float)steps_from_zero(i) * scale - tinyml_mlperf_data_value(i);
    sum += difference * difference;
  }
  error = sum / (float)TINYML_MLPERF_OUTPUTS;
  known = true;
}

static void print_values(void)
{
  if (error >= 0x1p63f) { /* no file of the benchmark; longer numbers are printed in two parts */
    tinyml_print("inf");
  } else {
    tinyml_print_real(1, error);
  }
}
#else
static int16_t steps[TINYML_MLPERF_OUTPUTS]; /* of the output's scale */

void tinyml_mlperf_result_take(void)
{
  for (size_t i = 0; i < TINYML_MLPERF_OUTPUTS; i++) {
    steps[i] = (int16_t)steps_from_zero(i);
  }
  known = true;
}

static void print_values(void)
{
  for (size_t i = 0; i < TINYML_MLPERF_OUTPUTS; i++) {
    tinyml_print(i > 0 ? "," : "");
    tinyml_print_real(steps[i], model_output(0)->scale);
  }
}
#endif

bool tinyml_mlperf_result_print(void)
{
  if (known) {
    tinyml_print("m-results-[");
    print_values();
    tinyml_print_line("]");
  }
  return known;
}
