#include "tinyml_sense.h"

#include <stddef.h>

#include "model.h"
#include "port.h"
#include "tinyml_inference.h"
#include "tinyml_print.h"
#include "tinyml_source.h"
#include "tinyml_source_config.h"

enum { SAMPLES_AT_ONCE = SOURCE_READ_BYTES / sizeof(features_sample) };

_Static_assert(SAMPLES_AT_ONCE >= SOURCE_CHANNELS, "a row of all channels must fit");

static enum { STOPPED, RUNNING, FAILED, ENDED } state;
static features_sample samples[SAMPLES_AT_ONCE];
static size_t first; /* those before it are in the features */
static size_t count;
static uint64_t failed_at;
static int last_failure; /* told already */
static uint32_t gaps;
static bool idle;

static const char *reason(int status)
{
  switch (status) {
  case TINYML_SOURCE_ABSENT:
    return "the sensor does not answer, or is another part";
  case TINYML_SOURCE_BUS:
    return "the sensor does not answer any more";
  case TINYML_SOURCE_REFUSED:
    return "its library refuses the settings";
  case TINYML_SOURCE_ENDED:
    return "the recording is over";
  default:
    return "unknown status";
  }
}

static void tell(int status)
{
  if (status != last_failure) {
    last_failure = status;
    tinyml_print("source " SOURCE_NAME ": ");
    tinyml_print_line(reason(status));
  }
}

static void fail(int status)
{
  gaps += state == RUNNING && status != TINYML_SOURCE_ENDED ? 1u : 0u;
  tinyml_source_stop();
  state = status == TINYML_SOURCE_ENDED ? ENDED : FAILED;
  failed_at = port_ticks();
  tell(status);
}

/* Windows begin anew: nothing of what came before is in them. */
static void begin_windows(void)
{
  features_start(model_input(0)->data);
  first = 0;
  count = 0;
}

static bool may_start(void)
{
  return state == STOPPED || (state == FAILED && port_ticks() - failed_at >= port_ticks_hz());
}

static void start(void)
{
  if (model_input(0) == NULL) { /* model_init() has failed, which the greeting told */
    return;
  }
  tinyml_inference_input_changes(); /* what a computer has put there is gone */
  const int status = tinyml_source_start();
  if (status == TINYML_SOURCE_OK) {
    begin_windows();
    state = RUNNING;
  } else {
    fail(status);
  }
}

static void read(void)
{
  const int result = tinyml_source_read(samples, SAMPLES_AT_ONCE);
  if (result >= 0) {
    first = 0;
    count = (size_t)result;
    idle = result == 0;
    last_failure = result > 0 ? TINYML_SOURCE_OK : last_failure;
  } else if (result == TINYML_SOURCE_LOST) {
    gaps++;
    begin_windows();
  } else {
    fail(result);
  }
}

bool tinyml_sense(void)
{
  idle = false;
  if (may_start()) {
    start();
  }
  if (state != RUNNING) {
    idle = true;
    return false;
  }
  if (first == count) {
    read();
  }
  if (first == count) { /* nothing there, or a failure */
    return false;
  }
  first += features_push(&samples[first], count - first);
  return features_ready();
}

bool tinyml_sense_idle(void) { return idle; }

void tinyml_sense_stop(void)
{
  if (state == RUNNING) {
    tinyml_source_stop();
    state = STOPPED;
  }
}

uint32_t tinyml_sense_gaps(void) { return gaps; }
