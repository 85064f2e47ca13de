#include "model_features.h"

static features_value *destination;
static size_t filled;
static bool ready;

void features_start(features_value *output)
{
  destination = output;
  filled = 0;
  ready = false;
}

size_t features_push(const features_sample *samples, size_t count)
{
  size_t taken = 0;
  ready = false;
  while (taken < count && !ready) {
    destination[filled++] = (features_value)(samples[taken++] & 0xFF);
    if (filled == FEATURES_VALUES) {
      filled = 0;
      ready = true;
    }
  }
  return taken;
}

bool features_ready(void) { return ready; }
