/*
 * Runs the model on the host: reads inputs from stdin until it ends, writes results to stdout.
 * For each inference: all inputs in order, raw; then one record a layer output and one a model
 * output.  A record is {int32 tensor, or -1 - index for a model output; uint32 bytes; data}.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static void write_all(const void *data, size_t bytes)
{
  if (fwrite(data, 1, bytes, stdout) != bytes) {
    exit(2);
  }
}

static void write_record(int32_t tensor, const void *data, size_t bytes)
{
  const uint32_t length = (uint32_t)bytes;
  write_all(&tensor, sizeof tensor);
  write_all(&length, sizeof length);
  write_all(data, bytes);
}

static void write_layer(void *context, const struct model_layer_output *output)
{
  (void)context;
  write_record(output->tensor, output->data, output->bytes);
}

/* False at the end of stdin. */
static bool read_inputs(void)
{
  for (size_t i = 0; i < MODEL_INPUT_COUNT; i++) {
    const struct model_tensor *input = model_input(i);
    if (fread(input->data, 1, input->bytes, stdin) != input->bytes) {
      return false;
    }
  }
  return true;
}

int main(void)
{
  if (model_init() != 0) {
    return 1;
  }
  while (read_inputs()) {
    if (model_invoke_observed(write_layer, NULL) != 0) {
      return 1;
    }
    for (size_t i = 0; i < MODEL_OUTPUT_COUNT; i++) {
      const struct model_tensor *output = model_output(i);
      write_record(-1 - (int32_t)i, output->data, output->bytes);
    }
  }
  return fflush(stdout) == 0 ? 0 : 2;
}
