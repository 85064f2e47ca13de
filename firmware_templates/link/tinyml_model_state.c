#include "model.h"
#include "tinyml_inference.h"
#include "tinyml_link_config.h"
#include "tinyml_requests.h"
#include "tinyml_server.h"

/* The longest that still fits beside the numbers, whatever the payload limit is. */
enum { FAILURE_BYTES = TINYML_PAYLOAD_BYTES_MIN - TINYML_MODEL_STATE_REPLY_BYTES };

static size_t length_of(const char *text)
{
  size_t bytes = 0;
  while (bytes < (size_t)FAILURE_BYTES && text[bytes] != '\0') {
    bytes++;
  }
  return bytes;
}

void tinyml_model_state(struct tinyml_reader *payload)
{
  if (!tinyml_read_all(payload)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  const int status = tinyml_inference_model_status();
  const char *failure = model_failure();
  const struct tinyml_model_state_reply state = {
      .status = status,
      .arena_bytes = MODEL_ARENA_BYTES,
      .arena_used = status == 0 ? (uint32_t)model_arena_used() : 0u,
      .failure = (const uint8_t *)failure,
      .failure_bytes = length_of(failure),
  };
  tinyml_pack_model_state_reply(tinyml_server_reply(), &state);
  tinyml_server_answer(TINYML_STATUS_OK);
}
