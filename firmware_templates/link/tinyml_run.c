#include "tinyml_run.h"

#include <stddef.h>
#include <string.h>

#include "model.h"
#include "tinyml_crc32.h"
#include "tinyml_inference.h"
#include "tinyml_link_config.h"
#include "tinyml_requests.h"
#include "tinyml_server.h"

static enum { NOT_OBSERVED, RUNNING, PAUSED, ABORTED } phase;

bool tinyml_run_is_paused(void) { return phase == PAUSED; }

void tinyml_run_abort(void) { phase = ABORTED; }

bool tinyml_run_can_start(void)
{
  if (tinyml_inference_model_status() == 0) {
    return true;
  }
  tinyml_server_fail(TINYML_STATUS_MODEL_FAILED, "model_init() failed");
  return false;
}

void tinyml_run_fail(int result)
{
  static const char said[] = "model_invoke() returned ";
  char text[sizeof said + 11u]; /* and a number of 32 bits */
  size_t end = sizeof said - 1u;
  memcpy(text, said, end);
  unsigned rest = result < 0 ? 0u - (unsigned)result : (unsigned)result;
  if (result < 0) {
    text[end++] = '-';
  }
  unsigned divisor = 1;
  while (rest / divisor >= 10u) {
    divisor *= 10u;
  }
  for (; divisor > 0; divisor /= 10u) {
    text[end++] = (char)('0' + (char)(rest / divisor));
    rest %= divisor;
  }
  text[end] = '\0';
  tinyml_server_fail(TINYML_STATUS_MODEL_FAILED, text);
}

static void finish(int result, uint64_t ticks)
{
  if (result != 0) {
    tinyml_run_fail(result);
    return;
  }
  const struct tinyml_run_reply done = {
      .ticks = ticks,
      .outputs_crc = tinyml_inference_outputs_crc(),
  };
  tinyml_pack_run_reply(tinyml_server_reply(), &done);
  tinyml_server_answer(TINYML_STATUS_OK);
}

#if MODEL_OBSERVER
static const struct model_layer_output *shown;

/* Stands still after a layer and serves requests until one of them makes the run go on. */
static void show(void *context, const struct model_layer_output *output)
{
  (void)context;
  if (phase == ABORTED) {
    return;
  }
  const struct tinyml_paused paused = {
      .layer = (uint16_t)output->layer,
      .output = (uint16_t)output->output,
      .tensor = output->tensor,
      .bytes = (uint32_t)output->bytes,
      .crc = tinyml_crc32(0, output->data, output->bytes),
      .kind = output->kind,
  };
  shown = output;
  phase = PAUSED;
  tinyml_pack_paused(tinyml_server_reply(), &paused);
  tinyml_server_answer(TINYML_STATUS_PAUSED);
  while (phase == PAUSED) {
    tinyml_server_serve();
  }
}

static void observe(void)
{
  phase = RUNNING;
  const int result = tinyml_inference_observe(show, NULL);
  const bool aborted = phase == ABORTED;
  phase = NOT_OBSERVED;
  if (aborted) {
    tinyml_inference_forget();
    tinyml_server_obey(); /* the request that aborted the run */
    return;
  }
  finish(result, 0);
}

void tinyml_get_layer(struct tinyml_reader *payload)
{
  struct tinyml_get_layer_request request;
  if (!tinyml_unpack_get_layer_request(payload, &request)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  if (phase != PAUSED) {
    tinyml_server_fail(TINYML_STATUS_NOT_PAUSED, "");
    return;
  }
  if (request.offset > shown->bytes || request.bytes > shown->bytes - request.offset ||
      request.bytes > TINYML_LINK_PAYLOAD_BYTES) {
    tinyml_server_fail(TINYML_STATUS_OUT_OF_RANGE, "");
    return;
  }
  tinyml_write_rest(tinyml_server_reply(), (const uint8_t *)shown->data + request.offset,
                    request.bytes);
  tinyml_server_answer(TINYML_STATUS_OK);
}
#else
static void observe(void)
{
  tinyml_server_fail(TINYML_STATUS_NOT_SUPPORTED, "built without MODEL_OBSERVER");
}

void tinyml_get_layer(struct tinyml_reader *payload)
{
  (void)payload;
  tinyml_server_fail(TINYML_STATUS_NOT_SUPPORTED, "built without MODEL_OBSERVER");
}
#endif

void tinyml_run(struct tinyml_reader *payload)
{
  struct tinyml_run_request request;
  if (!tinyml_unpack_run_request(payload, &request)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  if (!tinyml_run_can_start()) {
    return;
  }
  if (!tinyml_inference_inputs_set() || tinyml_inference_inputs_crc() != request.inputs_crc) {
    tinyml_server_fail(TINYML_STATUS_INPUTS_DIFFER, "");
    return;
  }
  if ((request.flags & (unsigned)TINYML_RUN_OBSERVE) != 0) {
    observe();
    return;
  }
  uint64_t ticks = 0;
  const int result = tinyml_inference_run(&ticks);
  finish(result, ticks);
}

void tinyml_continue(struct tinyml_reader *payload)
{
  if (!tinyml_read_all(payload)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
  } else if (phase != PAUSED) {
    tinyml_server_fail(TINYML_STATUS_NOT_PAUSED, "");
  } else {
    phase = RUNNING;
  }
}

void tinyml_abort(struct tinyml_reader *payload)
{
  if (!tinyml_read_all(payload)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
  } else if (phase == PAUSED) {
    tinyml_run_abort();
  } else {
    tinyml_server_answer(TINYML_STATUS_OK);
  }
}
