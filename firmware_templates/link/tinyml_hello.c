#include "model.h"
#include "port.h"
#include "tinyml_hash.h"
#include "tinyml_inference.h"
#include "tinyml_link_config.h"
#include "tinyml_requests.h"
#include "tinyml_run.h"
#include "tinyml_server.h"

_Static_assert(sizeof MODEL_HASH == 65, "SHA-256 in hexadecimal");
_Static_assert((int)PORT_RESET_LOCKUP == (int)TINYML_RESET_LOCKUP, "one numbering of resets");

void tinyml_hello(struct tinyml_reader *payload)
{
  if (tinyml_run_is_paused()) {
    tinyml_run_abort();
    return;
  }
  if (!tinyml_read_all(payload)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  struct tinyml_hello_reply hello = {
      .payload_bytes = TINYML_LINK_PAYLOAD_BYTES,
      .receive_capacity = (uint32_t)port_receive_capacity(),
      .receive_overruns = port_receive_overruns(),
      .capabilities = (MODEL_OBSERVER ? (uint32_t)TINYML_CAPABILITY_OBSERVER : 0u) |
                      (TINYML_SEMIHOSTING ? (uint32_t)TINYML_CAPABILITY_FILES : 0u) |
                      (TINYML_EMULATED ? (uint32_t)TINYML_CAPABILITY_EMULATED : 0u) |
                      (TINYML_FEATURES ? (uint32_t)TINYML_CAPABILITY_FEATURES : 0u) |
                      (TINYML_ANSWER ? (uint32_t)TINYML_CAPABILITY_ANSWER : 0u),
      .reset_reason = (uint8_t)port_reset_reason(),
      .model_status = tinyml_inference_model_status(),
      .timer_hz = port_ticks_hz(),
      .stack_high_water = (uint32_t)port_stack_high_water(),
      .stack_bytes = (uint32_t)port_stack_bytes(),
      .arena_bytes = MODEL_ARENA_BYTES,
      .input_count = MODEL_INPUT_COUNT,
      .output_count = MODEL_OUTPUT_COUNT,
      .layer_count = MODEL_LAYER_COUNT,
      .model_name = MODEL_NAME,
      .build_id = TINYML_BUILD_ID,
      .board = TINYML_BOARD,
      .engine = MODEL_ENGINE,
      .tool_version = TINYML_TOOL_VERSION,
  };
  tinyml_read_hash(MODEL_HASH, hello.model_hash);
  tinyml_pack_hello_reply(tinyml_server_reply(), &hello);
  tinyml_server_answer(TINYML_STATUS_OK);
}

void tinyml_reset(struct tinyml_reader *payload)
{
  if (!tinyml_read_all(payload)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  tinyml_server_answer(TINYML_STATUS_OK);
  port_reset();
}
