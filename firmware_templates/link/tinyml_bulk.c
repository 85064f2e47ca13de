#include <stdbool.h>
#include <stddef.h>

#include "model.h"
#include "port.h"
#include "tinyml_answers.h"
#include "tinyml_crc32.h"
#include "tinyml_inference.h"
#include "tinyml_records.h"
#include "tinyml_requests.h"
#include "tinyml_run.h"
#include "tinyml_server.h"

#if TINYML_SEMIHOSTING
static struct {
  int input;
  struct tinyml_records output;
  uint32_t inference;
  struct tinyml_bulk_reply done;
} bulk;

static bool read_inputs(void)
{
  for (size_t i = 0; i < MODEL_INPUT_COUNT; i++) {
    const struct model_tensor *input = model_input(i);
    if (port_file_read(bulk.input, input->data, input->bytes) != input->bytes) {
      return false;
    }
    bulk.done.read_crc = tinyml_crc32(bulk.done.read_crc, input->data, input->bytes);
  }
  return true;
}

#if MODEL_OBSERVER
static void write_layer(void *context, const struct model_layer_output *output)
{
  (void)context;
  tinyml_write_record(&bulk.output, bulk.inference, TINYML_RECORD_LAYER, output->layer,
                      output->tensor, output->data, output->bytes);
}

static int run_once(bool with_layers)
{
  if (with_layers) {
    return tinyml_inference_observe(write_layer, NULL);
  }
  return tinyml_inference_run(&bulk.done.ticks);
}
#else
static int run_once(bool with_layers)
{
  (void)with_layers;
  return tinyml_inference_run(&bulk.done.ticks);
}
#endif

#if TINYML_ANSWER
static void write_answer(unsigned flags)
{
  if ((flags & (unsigned)TINYML_RUN_ANSWERS) != 0) {
    tinyml_answers_take((flags & (unsigned)TINYML_RUN_APART) != 0);
    tinyml_write_answer(&bulk.output, bulk.inference);
  }
}
#else
static void write_answer(unsigned flags) { (void)flags; }
#endif

/* True when all went well, else answers why not. */
static bool run_all(uint32_t count, unsigned flags)
{
  const bool with_layers = (flags & (unsigned)TINYML_RUN_OBSERVE) != 0;
  tinyml_answers_start();
  for (; bulk.inference < count; bulk.inference++) {
    if (!read_inputs()) {
      tinyml_server_fail(TINYML_STATUS_FILE_FAILED, "the input file is too short");
      return false;
    }
    const int result = run_once(with_layers);
    if (result != 0) {
      tinyml_run_fail(result);
      return false;
    }
    tinyml_write_outputs(&bulk.output, bulk.inference);
    write_answer(flags);
    if (bulk.output.failed) {
      tinyml_server_fail(TINYML_STATUS_FILE_FAILED, "cannot write: is the disk full?");
      return false;
    }
    bulk.done.count++;
    tinyml_server_progress(bulk.done.count);
  }
  return true;
}

static void run_files(const struct tinyml_bulk_request *request)
{
  const bool good = run_all(request->count, request->flags);
  const bool closed = port_file_close(bulk.output.file) == 0;
  (void)port_file_close(bulk.input);
  tinyml_inference_forget();
  if (!good) {
    return;
  }
  if (!closed) {
    tinyml_server_fail(TINYML_STATUS_FILE_FAILED, "cannot write: is the disk full?");
    return;
  }
  bulk.done.written_crc = bulk.output.crc;
  bulk.done.written_bytes = bulk.output.bytes;
  tinyml_pack_bulk_reply(tinyml_server_reply(), &bulk.done);
  tinyml_server_answer(TINYML_STATUS_OK);
}

static void open_and_run(const struct tinyml_bulk_request *request)
{
  bulk.inference = 0;
  bulk.done = (struct tinyml_bulk_reply){.count = 0};
  bulk.input = port_file_open(request->input_path, PORT_FILE_READ);
  if (bulk.input < 0) {
    tinyml_server_fail(TINYML_STATUS_FILE_FAILED, "cannot open the input file");
    return;
  }
  const int output = port_file_open(request->output_path, PORT_FILE_WRITE);
  bulk.output = (struct tinyml_records){.file = output};
  if (output < 0) {
    (void)port_file_close(bulk.input);
    tinyml_server_fail(TINYML_STATUS_FILE_FAILED, "cannot open the output file");
    return;
  }
  run_files(request);
}

void tinyml_bulk(struct tinyml_reader *payload)
{
  struct tinyml_bulk_request request;
  if (!tinyml_unpack_bulk_request(payload, &request)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  if ((request.flags & (unsigned)TINYML_RUN_OBSERVE) != 0 && !MODEL_OBSERVER) {
    tinyml_server_fail(TINYML_STATUS_NOT_SUPPORTED, "built without MODEL_OBSERVER");
    return;
  }
  if ((request.flags & (unsigned)TINYML_RUN_ANSWERS) != 0 && !TINYML_ANSWER) {
    tinyml_server_fail(TINYML_STATUS_NOT_SUPPORTED, "built without [answer]");
    return;
  }
  if (tinyml_run_can_start()) {
    open_and_run(&request);
  }
}
#else
void tinyml_bulk(struct tinyml_reader *payload)
{
  (void)payload;
  tinyml_server_fail(TINYML_STATUS_NOT_SUPPORTED, "built without TINYML_SEMIHOSTING");
}
#endif
