/* Everything around tinyml_sense.c: a source that a test plays, windows of 10 samples that begin
 * where they are told to, a clock that a test sets, and the text that was printed. */
#include <string.h>

#include "model.h"
#include "port.h"
#include "tinyml_inference.h"
#include "tinyml_print.h"
#include "tinyml_source.h"

enum { WINDOW = 10 };

int shim_start_status;
int shim_starts, shim_stops, shim_forgotten, shim_no_model;
long long shim_ticks;
char shim_text[4096];

static int results[64]; /* of the next reads: samples, or a status */
static size_t results_first, results_count;
static features_sample next_sample;

static features_sample window[WINDOW];
static size_t filled;
static bool ready;
static int8_t input_data[WINDOW];

void shim_give(const int *values, size_t count);
int shim_window(features_sample *to);

void shim_give(const int *values, size_t count)
{
  memcpy(results, values, count * sizeof values[0]);
  results_first = 0;
  results_count = count;
}

int shim_window(features_sample *to)
{
  memcpy(to, window, sizeof window);
  return ready;
}

int tinyml_source_start(void)
{
  shim_starts++;
  return shim_start_status;
}

void tinyml_source_stop(void) { shim_stops++; }

int tinyml_source_read(features_sample *samples, size_t count)
{
  const int result = results_first < results_count ? results[results_first++] : 0;
  for (int i = 0; i < result && (size_t)i < count; i++) {
    samples[i] = next_sample++;
  }
  return result;
}

void features_start(features_value *output)
{
  (void)output;
  filled = 0;
  ready = false;
}

size_t features_push(const features_sample *samples, size_t count)
{
  size_t taken = 0;
  ready = false;
  filled = filled == WINDOW ? 0 : filled;
  while (taken < count && !ready) {
    window[filled++] = samples[taken++];
    ready = filled == WINDOW;
  }
  return taken;
}

bool features_ready(void) { return ready; }

const struct model_tensor *model_input(size_t index)
{
  static struct model_tensor input = {.data = input_data};
  return shim_no_model || index > 0 ? NULL : &input;
}

void tinyml_inference_input_changes(void) { shim_forgotten++; }
uint64_t port_ticks(void) { return (uint64_t)shim_ticks; }
uint32_t port_ticks_hz(void) { return 1000; }

void tinyml_print(const char *text)
{
  strncat(shim_text, text, sizeof shim_text - strlen(shim_text) - 1);
}

void tinyml_print_line(const char *text)
{
  tinyml_print(text);
  tinyml_print("\n");
}
