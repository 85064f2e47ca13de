#include <stdbool.h>
#include <stddef.h>

#include "model.h"
#include "port.h"
#include "tinyml_crc32.h"
#include "tinyml_inference.h"
#include "tinyml_requests.h"
#include "tinyml_run.h"
#include "tinyml_server.h"

#if TINYML_SEMIHOSTING
static struct {
  int input;
  int output;
  bool write_failed;
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

static void write_bytes(const void *data, size_t bytes)
{
  bulk.write_failed |= port_file_write(bulk.output, data, bytes) != bytes;
  bulk.done.written_crc = tinyml_crc32(bulk.done.written_crc, data, bytes);
  bulk.done.written_bytes += bytes;
}

static void write_record(enum tinyml_record_kind kind, size_t index, int32_t tensor,
                         const void *data, size_t bytes)
{
  const struct tinyml_bulk_record record = {
      .inference = bulk.inference,
      .kind = (uint16_t)kind,
      .index = (uint16_t)index,
      .tensor = tensor,
      .bytes = (uint32_t)bytes,
      .crc = tinyml_crc32(0, data, bytes),
  };
  uint8_t header[TINYML_BULK_RECORD_BYTES];
  struct tinyml_writer writer = {.data = header, .capacity = sizeof header};
  tinyml_pack_bulk_record(&writer, &record);
  write_bytes(header, writer.bytes);
  write_bytes(data, bytes);
}

static void write_outputs(void)
{
  for (size_t i = 0; i < MODEL_OUTPUT_COUNT; i++) {
    const struct model_tensor *output = model_output(i);
    write_record(TINYML_RECORD_OUTPUT, i, -1, output->data, output->bytes);
  }
}

#if MODEL_OBSERVER
static void write_layer(void *context, const struct model_layer_output *output)
{
  (void)context;
  write_record(TINYML_RECORD_LAYER, output->layer, output->tensor, output->data, output->bytes);
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

/* True when all went well, else answers why not. */
static bool run_all(uint32_t count, bool with_layers)
{
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
    write_outputs();
    if (bulk.write_failed) {
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
  const bool good = run_all(request->count, (request->flags & (unsigned)TINYML_RUN_OBSERVE) != 0);
  const bool closed = port_file_close(bulk.output) == 0;
  (void)port_file_close(bulk.input);
  tinyml_inference_forget();
  if (!good) {
    return;
  }
  if (!closed) {
    tinyml_server_fail(TINYML_STATUS_FILE_FAILED, "cannot write: is the disk full?");
    return;
  }
  tinyml_pack_bulk_reply(tinyml_server_reply(), &bulk.done);
  tinyml_server_answer(TINYML_STATUS_OK);
}

static void open_and_run(const struct tinyml_bulk_request *request)
{
  bulk.inference = 0;
  bulk.write_failed = false;
  bulk.done = (struct tinyml_bulk_reply){.count = 0};
  bulk.input = port_file_open(request->input_path, PORT_FILE_READ);
  if (bulk.input < 0) {
    tinyml_server_fail(TINYML_STATUS_FILE_FAILED, "cannot open the input file");
    return;
  }
  bulk.output = port_file_open(request->output_path, PORT_FILE_WRITE);
  if (bulk.output < 0) {
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
