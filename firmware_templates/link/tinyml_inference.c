#include "tinyml_inference.h"

#include <string.h>

#include "port.h"
#include "tinyml_answers.h"
#include "tinyml_crc32.h"

static int status_of_model;
static bool inputs_set;
static bool has_outputs;

void tinyml_inference_start(int model_status)
{
  status_of_model = model_status;
  tinyml_inference_forget();
}

int tinyml_inference_model_status(void) { return status_of_model; }

bool tinyml_inference_set_input(size_t index, size_t offset, const uint8_t *data, size_t bytes)
{
  const struct model_tensor *input = model_input(index);
  if (input == NULL || offset > input->bytes || bytes > input->bytes - offset) {
    return false;
  }
  has_outputs = false; /* outputs may share their memory with inputs */
  inputs_set = true;
  if (bytes > 0) {
    memcpy((uint8_t *)input->data + offset, data, bytes);
  }
  return true;
}

void tinyml_inference_input_changes(void)
{
  has_outputs = false; /* outputs may share their memory with inputs */
  inputs_set = false;
}

void tinyml_inference_inputs_written(void) { inputs_set = true; }

void tinyml_inference_zero_inputs(void)
{
  has_outputs = false;
  for (size_t i = 0; i < MODEL_INPUT_COUNT; i++) {
    const struct model_tensor *input = model_input(i);
    /* Only types of one byte have a zero point other than 0. */
    const bool one_byte = input->type == MODEL_INT8 || input->type == MODEL_UINT8;
    memset(input->data, one_byte ? (int)(uint8_t)input->zero_point : 0, input->bytes);
  }
}

bool tinyml_inference_inputs_set(void) { return inputs_set; }

uint32_t tinyml_inference_inputs_crc(void)
{
  uint32_t crc = 0;
  for (size_t i = 0; i < MODEL_INPUT_COUNT; i++) {
    const struct model_tensor *input = model_input(i);
    crc = tinyml_crc32(crc, input->data, input->bytes);
  }
  return crc;
}

uint32_t tinyml_inference_outputs_crc(void)
{
  uint32_t crc = 0;
  for (size_t i = 0; i < MODEL_OUTPUT_COUNT; i++) {
    const struct model_tensor *output = model_output(i);
    crc = tinyml_crc32(crc, output->data, output->bytes);
  }
  return crc;
}

int tinyml_inference_run(uint64_t *ticks)
{
  tinyml_inference_forget();
  tinyml_answers_keep_input();
  const uint64_t start = port_ticks();
  const int result = model_invoke();
  *ticks += port_ticks() - start;
  has_outputs = result == 0;
  return result;
}

#if MODEL_OBSERVER
int tinyml_inference_observe(model_observer observer, void *context)
{
  tinyml_inference_forget();
  tinyml_answers_keep_input();
  const int result = model_invoke_observed(observer, context);
  has_outputs = result == 0;
  return result;
}
#endif

void tinyml_inference_forget(void)
{
  inputs_set = false;
  has_outputs = false;
}

bool tinyml_inference_has_outputs(void) { return has_outputs; }
