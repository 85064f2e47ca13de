#include "model.h"
#include "port.h"
#include "tinyml_dither.h"
#include "tinyml_inference.h"
#include "tinyml_requests.h"
#include "tinyml_run.h"
#include "tinyml_server.h"

#if MODEL_OBSERVER
struct profile {
  struct tinyml_writer *reply;
  uint32_t skip;  /* calls that are not told */
  uint64_t since; /* ticks when the last call ended */
};

/* Tells the ticks since its last call, its own not counted; what does not fit is dropped. */
static void note(void *context, const struct model_layer_output *output)
{
  const uint64_t now = port_ticks();
  struct profile *profile = context;
  (void)output;
  if (profile->skip > 0) {
    profile->skip--;
  } else {
    tinyml_write_u32(profile->reply, (uint32_t)(now - profile->since));
  }
  profile->since = port_ticks();
}

/* The first number of the reply: a call right after another one. */
static void measure_nothing(struct profile *profile)
{
  /* Called as the model calls it: through a pointer whose target the compiler does not know. */
  static volatile model_observer unknown = note;
  const model_observer observer = unknown;
  profile->skip = 1;
  observer(profile, NULL);
  observer(profile, NULL);
}

void tinyml_profile(struct tinyml_reader *payload)
{
  struct tinyml_profile_request request;
  if (!tinyml_unpack_profile_request(payload, &request)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  if (!tinyml_run_can_start()) {
    return;
  }
  struct profile profile = {.reply = tinyml_server_reply()};
  tinyml_dither();
  measure_nothing(&profile);
  tinyml_inference_zero_inputs();
  profile.skip = request.first;
  profile.since = port_ticks();
  const int status = tinyml_inference_observe(note, &profile);
  tinyml_inference_forget(); /* these outputs are nobody's */
  if (status != 0) {
    tinyml_run_fail(status);
    return;
  }
  tinyml_server_answer(TINYML_STATUS_OK);
}
#else
void tinyml_profile(struct tinyml_reader *payload)
{
  (void)payload;
  tinyml_server_fail(TINYML_STATUS_NOT_SUPPORTED, "built without MODEL_OBSERVER");
}
#endif
