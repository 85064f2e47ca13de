/* What a program on the computer needs beside model_features.h: many windows at once, and a state
 * that can be put aside, so that one library serves many streams.  Not part of any firmware. */
#include "model_features.c"

size_t features_host_state_bytes(void);
void features_host_save(void *to);
void features_host_load(const void *from, features_value *output);
size_t features_host_extract(const features_sample *samples, size_t count, features_value *outputs,
                             size_t windows);

size_t features_host_state_bytes(void) { return sizeof state; }

void features_host_save(void *to) { memcpy(to, &state, sizeof state); }

void features_host_load(const void *from, features_value *output)
{
  memcpy(&state, from, sizeof state);
  destination = output;
}

/* Starts anew and writes up to `windows` inputs of the model; returns how many are complete. */
size_t features_host_extract(const features_sample *samples, size_t count, features_value *outputs,
                             size_t windows)
{
  size_t complete = 0;
  size_t taken = 0;
  if (windows == 0) {
    return 0;
  }
  features_start(outputs);
  while (taken < count && complete < windows) {
    destination = outputs + complete * FEATURES_VALUES;
    taken += features_push(samples + taken, count - taken);
    complete += state.ready ? 1u : 0u;
  }
  return complete;
}
