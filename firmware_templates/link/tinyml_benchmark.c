#include "port.h"
#include "tinyml_dither.h"
#include "tinyml_inference.h"
#include "tinyml_requests.h"
#include "tinyml_run.h"
#include "tinyml_server.h"

enum {
  SHORT_SPIN = 1000,
  LONG_SPIN = 101000, /* long enough that one tick more or less does not matter */
  EMPTY_TRIES = 16
};

static uint64_t spin(uint32_t loops)
{
  const uint64_t start = port_ticks();
  port_spin(loops);
  return port_ticks() - start;
}

static void measure_nothing(uint64_t *least, uint64_t *most)
{
  *least = UINT64_MAX;
  *most = 0;
  for (int i = 0; i < EMPTY_TRIES; i++) {
    tinyml_dither();
    const uint64_t start = port_ticks();
    const uint64_t ticks = port_ticks() - start;
    *least = ticks < *least ? ticks : *least;
    *most = ticks > *most ? ticks : *most;
  }
}

void tinyml_benchmark(struct tinyml_reader *payload)
{
  struct tinyml_benchmark_request request;
  if (!tinyml_unpack_benchmark_request(payload, &request) || request.count == 0) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  if (!tinyml_run_can_start()) {
    return;
  }
  struct tinyml_benchmark_reply result = {
      .count = request.count,
      .least = UINT64_MAX,
      .spin_instructions = PORT_SPIN_INSTRUCTIONS,
      .short_loops = SHORT_SPIN,
      .short_spin = spin(SHORT_SPIN),
      .long_loops = LONG_SPIN,
      .long_spin = spin(LONG_SPIN),
  };
  measure_nothing(&result.empty_least, &result.empty_most);
  for (uint32_t i = 0; i < request.count; i++) {
    uint64_t ticks = 0;
    tinyml_inference_zero_inputs();
    tinyml_dither();
    const int status = tinyml_inference_run(&ticks);
    tinyml_inference_forget(); /* these outputs are nobody's */
    if (status != 0) {
      tinyml_run_fail(status);
      return;
    }
    result.total += ticks;
    result.least = ticks < result.least ? ticks : result.least;
    result.most = ticks > result.most ? ticks : result.most;
    tinyml_server_progress(i + 1u);
  }
  tinyml_pack_benchmark_reply(tinyml_server_reply(), &result);
  tinyml_server_answer(TINYML_STATUS_OK);
}
