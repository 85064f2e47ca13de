#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "model.h"
#include "port.h"
#include "tinyml_answers.h"
#include "tinyml_crc32.h"
#include "tinyml_fed.h"
#include "tinyml_hash.h"
#include "tinyml_inference.h"
#include "tinyml_link_config.h"
#include "tinyml_records.h"
#include "tinyml_report.h"
#include "tinyml_requests.h"
#include "tinyml_run.h"
#include "tinyml_server.h"

void tinyml_get_input(struct tinyml_reader *payload)
{
  struct tinyml_get_input_request request;
  if (!tinyml_unpack_get_input_request(payload, &request)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  const struct model_tensor *input = model_input(request.index);
  if (input == NULL || request.offset > input->bytes ||
      request.bytes > input->bytes - request.offset || request.bytes > TINYML_LINK_PAYLOAD_BYTES) {
    tinyml_server_fail(TINYML_STATUS_OUT_OF_RANGE, "");
    return;
  }
  if (!tinyml_inference_inputs_set()) {
    tinyml_server_fail(TINYML_STATUS_NO_RESULT, "");
    return;
  }
  tinyml_write_rest(tinyml_server_reply(), (const uint8_t *)input->data + request.offset,
                    request.bytes);
  tinyml_server_answer(TINYML_STATUS_OK);
}

#if TINYML_FEATURES
#include "model_features.h"

_Static_assert(sizeof FEATURES_HASH == 65, "SHA-256 in hexadecimal");

enum {
  SAMPLE_BYTES = sizeof(features_sample),
  INPUT_BYTES = FEATURES_VALUES * sizeof(features_value),
  SAMPLES_AT_ONCE = 256 / SAMPLE_BYTES,
  FED_SECONDS = 5 /* how long a host that feeds counts as present after its last request */
};

/* Where samples lie as their type wants it: payloads start anywhere. */
static features_sample samples[SAMPLES_AT_ONCE];
static bool started;

/* Of `samples`, what the application has yet to read. */
static struct {
  size_t next;
  size_t end;
  uint64_t last; /* ticks of the last request */
  bool anew;     /* the application must begin a recording before it reads */
  bool begun;    /* and the link has not made features since */
} fed;

/* False, with an answer, where the model has no place for features. */
static bool can_start(void)
{
  if (!tinyml_run_can_start()) {
    return false;
  }
  if (model_input(0)->bytes != INPUT_BYTES) {
    tinyml_server_fail(TINYML_STATUS_MODEL_FAILED, "features do not fit the model's input");
    return false;
  }
  return true;
}

static void start(void)
{
  fed.end = 0;
  fed.anew = false;
  fed.begun = false;
  tinyml_inference_input_changes();
  features_start(model_input(0)->data);
  tinyml_answers_start();
  started = true;
}

/* features_push() with its time. */
static size_t push(const features_sample *from, size_t count, uint64_t *ticks)
{
  tinyml_inference_input_changes();
  const uint64_t before = port_ticks();
  const size_t taken = features_push(from, count);
  *ticks += port_ticks() - before;
  if (features_ready()) {
    tinyml_inference_inputs_written();
  }
  return taken;
}

void tinyml_features_info(struct tinyml_reader *payload)
{
  if (!tinyml_read_all(payload)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  struct tinyml_features_reply info = {
      .sample_bytes = SAMPLE_BYTES,
      .input_bytes = INPUT_BYTES,
      .ram_bytes = FEATURES_RAM_BYTES,
  };
  tinyml_read_hash(FEATURES_HASH, info.features_hash);
  tinyml_pack_features_reply(tinyml_server_reply(), &info);
  tinyml_server_answer(TINYML_STATUS_OK);
}

void tinyml_features_start(struct tinyml_reader *payload)
{
  if (!tinyml_read_all(payload)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  if (can_start()) {
    start();
    tinyml_server_answer(TINYML_STATUS_OK);
  }
}

static void push_payload(const uint8_t *data, size_t bytes)
{
  struct tinyml_push_reply done = {.taken = 0};
  bool ready = false;
  while (done.taken < bytes && !ready) {
    size_t part = bytes - done.taken;
    part = part < sizeof samples ? part : sizeof samples;
    memcpy(samples, data + done.taken, part);
    done.taken += (uint32_t)(SAMPLE_BYTES * push(samples, part / SAMPLE_BYTES, &done.ticks));
    ready = features_ready();
  }
  done.ready = ready;
  done.inputs_crc = ready ? tinyml_inference_inputs_crc() : 0;
  tinyml_pack_push_reply(tinyml_server_reply(), &done);
  tinyml_server_answer(TINYML_STATUS_OK);
}

void tinyml_push(struct tinyml_reader *payload)
{
  struct tinyml_push_request request;
  if (!tinyml_unpack_push_request(payload, &request) || request.data_bytes % SAMPLE_BYTES != 0) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  if (!can_start()) {
    return;
  }
  if (!started) {
    start();
  }
  push_payload(request.data, request.data_bytes);
}

int tinyml_fed_samples(features_sample *to, size_t most)
{
  if (fed.anew) {
    fed.anew = false;
    started = false; /* whoever pushes next must begin anew */
    return TINYML_FED_ANEW;
  }
  const size_t left = fed.end > fed.next ? fed.end - fed.next : 0;
  const size_t count = left < most ? left : most;
  memcpy(to, samples + fed.next, count * sizeof *to);
  fed.next += count;
  const bool feeds = fed.begun && port_ticks() - fed.last < (uint64_t)FED_SECONDS * port_ticks_hz();
  return count > 0 || feeds ? (int)count : TINYML_FED_NOTHING;
}

void tinyml_feed(struct tinyml_reader *payload)
{
  struct tinyml_feed_request request;
  if (!tinyml_unpack_feed_request(payload, &request) || request.data_bytes % SAMPLE_BYTES != 0) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  if (!can_start()) {
    return;
  }
  struct tinyml_feed_reply done = {.taken = 0, .inferences = tinyml_reports()};
  const bool anew = (request.flags & (unsigned)TINYML_FEED_ANEW) != 0 || !fed.begun;
  fed.last = port_ticks();
  tinyml_inference_forget(); /* from now on inputs and outputs are the application's */
  if (anew || (!fed.anew && fed.next >= fed.end)) {
    const size_t part = request.data_bytes < sizeof samples ? request.data_bytes : sizeof samples;
    memcpy(samples, request.data, part);
    fed.next = 0;
    fed.end = part / SAMPLE_BYTES;
    fed.anew = fed.anew || anew;
    fed.begun = true;
    done.taken = (uint32_t)part;
  }
  done.left = (uint32_t)(SAMPLE_BYTES * (fed.end - fed.next));
  tinyml_pack_feed_reply(tinyml_server_reply(), &done);
  tinyml_server_answer(TINYML_STATUS_OK);
}

#if TINYML_SEMIHOSTING
static struct {
  int input;
  struct tinyml_records output;
  unsigned flags;
  struct tinyml_replay_reply done;
} replay;

#if TINYML_ANSWER
static void write_answer(void)
{
  if ((replay.flags & (unsigned)TINYML_REPLAY_ANSWERS) != 0) {
    tinyml_answers_take(false);
    tinyml_write_answer(&replay.output, replay.done.count);
  }
}
#else
static void write_answer(void) {}
#endif

/* The model's input is complete.  False, with an answer, where the model fails. */
static bool take_input(void)
{
  const struct model_tensor *input = model_input(0);
  if ((replay.flags & (unsigned)TINYML_REPLAY_FEATURES) != 0) {
    tinyml_write_record(&replay.output, replay.done.count, TINYML_RECORD_INPUT, 0, -1, input->data,
                        input->bytes);
  }
  if ((replay.flags & (unsigned)TINYML_REPLAY_OUTPUTS) != 0) {
    uint64_t ticks = 0;
    const int result = tinyml_inference_run(&ticks);
    if (result != 0) {
      tinyml_run_fail(result);
      return false;
    }
    tinyml_write_outputs(&replay.output, replay.done.count);
    write_answer();
  }
  replay.done.count++;
  tinyml_server_progress(replay.done.count);
  return true;
}

static bool push_all(size_t count)
{
  size_t taken = 0;
  while (taken < count) {
    taken += push(samples + taken, count - taken, &replay.done.ticks);
    replay.done.pushes++;
    if (features_ready() && !take_input()) {
      return false;
    }
  }
  return true;
}

static bool replay_all(void)
{
  for (;;) {
    const size_t bytes = port_file_read(replay.input, samples, sizeof samples);
    replay.done.read_crc = tinyml_crc32(replay.done.read_crc, samples, bytes);
    if (!push_all(bytes / SAMPLE_BYTES)) {
      return false;
    }
    if (bytes < sizeof samples) {
      return true;
    }
  }
}

static void replay_files(void)
{
  start();
  const bool good = replay_all();
  const bool closed = port_file_close(replay.output.file) == 0;
  (void)port_file_close(replay.input);
  tinyml_inference_forget();
  if (!good) {
    return;
  }
  if (!closed || replay.output.failed) {
    tinyml_server_fail(TINYML_STATUS_FILE_FAILED, "cannot write: is the disk full?");
    return;
  }
  replay.done.written_crc = replay.output.crc;
  replay.done.written_bytes = replay.output.bytes;
  tinyml_pack_replay_reply(tinyml_server_reply(), &replay.done);
  tinyml_server_answer(TINYML_STATUS_OK);
}

static void open_and_replay(const struct tinyml_replay_request *request)
{
  replay.flags = request->flags;
  replay.done = (struct tinyml_replay_reply){.count = 0};
  replay.input = port_file_open(request->input_path, PORT_FILE_READ);
  if (replay.input < 0) {
    tinyml_server_fail(TINYML_STATUS_FILE_FAILED, "cannot open the input file");
    return;
  }
  const int output = port_file_open(request->output_path, PORT_FILE_WRITE);
  replay.output = (struct tinyml_records){.file = output};
  if (output < 0) {
    (void)port_file_close(replay.input);
    tinyml_server_fail(TINYML_STATUS_FILE_FAILED, "cannot open the output file");
    return;
  }
  replay_files();
}

void tinyml_replay(struct tinyml_reader *payload)
{
  struct tinyml_replay_request request;
  if (!tinyml_unpack_replay_request(payload, &request)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
  } else if ((request.flags & (unsigned)TINYML_REPLAY_ANSWERS) != 0 && !TINYML_ANSWER) {
    tinyml_server_fail(TINYML_STATUS_NOT_SUPPORTED, "built without [answer]");
  } else if (can_start()) {
    open_and_replay(&request);
  }
}
#else
void tinyml_replay(struct tinyml_reader *payload)
{
  (void)payload;
  tinyml_server_fail(TINYML_STATUS_NOT_SUPPORTED, "built without TINYML_SEMIHOSTING");
}
#endif
#else
static void refuse(void)
{
  tinyml_server_fail(TINYML_STATUS_NOT_SUPPORTED, "built without preprocessing");
}

void tinyml_features_info(struct tinyml_reader *payload)
{
  (void)payload;
  refuse();
}

void tinyml_features_start(struct tinyml_reader *payload)
{
  (void)payload;
  refuse();
}

void tinyml_push(struct tinyml_reader *payload)
{
  (void)payload;
  refuse();
}

void tinyml_replay(struct tinyml_reader *payload)
{
  (void)payload;
  refuse();
}

void tinyml_feed(struct tinyml_reader *payload)
{
  (void)payload;
  refuse();
}
#endif
