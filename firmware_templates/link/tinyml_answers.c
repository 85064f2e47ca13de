#include "tinyml_answers.h"

#include "tinyml_requests.h"
#include "tinyml_server.h"

#if TINYML_ANSWER
#include "model.h"
#include "model_answer.h"
#include "port.h"
#include "tinyml_dither.h"
#include "tinyml_hash.h"
#include "tinyml_inference.h"
#include "tinyml_print.h"

_Static_assert(sizeof ANSWER_HASH == 65, "SHA-256 in hexadecimal");

enum { PLACE_BYTES = 8 }; /* of a class and its score on the wire */

static struct tinyml_answer_reply last;
static bool is_taken; /* of the last run */

void tinyml_answers_start(void) { answer_start(); }

void tinyml_answers_keep_input(void)
{
  answer_keep_input(model_input(0)->data);
  is_taken = false;
}

void tinyml_answers_take(bool apart)
{
  if (is_taken) {
    return;
  }
  if (apart) {
    answer_start();
  }
  if (TINYML_EMULATED) {
    tinyml_dither();
  }
  const uint64_t start = port_ticks();
  const struct answer answer = answer_take(model_output(0)->data);
  last = (struct tinyml_answer_reply){
      .detected = answer.detected,
      .best = answer.best,
      .score = answer.score,
      .ticks = port_ticks() - start,
      .label = answer_label(answer.best),
  };
  is_taken = true;
}

/* The classes of `last`: none where that is no number. */
static void write_top(struct tinyml_writer *writer)
{
  int32_t top[ANSWER_TOP];
  if (last.best < 0) {
    return;
  }
  answer_top(ANSWER_TOP, top);
  for (int32_t place = 0; place < ANSWER_TOP; ++place) {
    tinyml_write_i32(writer, top[place]);
    tinyml_write_f32(writer, answer_score(top[place]));
  }
}

void tinyml_answers_print(void)
{
  tinyml_print("answer: ");
  if (last.best < 0) {
    tinyml_print_line("none, an output is no number");
    return;
  }
  tinyml_print(last.label);
  tinyml_print(", score ");
  tinyml_print_real(1, last.score);
  tinyml_print_line("");
}

#if TINYML_SEMIHOSTING
void tinyml_write_answer(struct tinyml_records *records, uint32_t inference)
{
  uint8_t data[TINYML_ANSWER_REPLY_BYTES + TINYML_TEXT_BYTES + ANSWER_TOP * PLACE_BYTES];
  struct tinyml_writer writer = {.data = data, .capacity = sizeof data};
  tinyml_pack_answer_reply(&writer, &last);
  write_top(&writer);
  tinyml_write_record(records, inference, TINYML_RECORD_ANSWER, 0, -1, data, writer.bytes);
}
#endif

void tinyml_answer_info(struct tinyml_reader *payload)
{
  if (!tinyml_read_all(payload)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  struct tinyml_answer_info_reply info = {
      .classes = ANSWER_CLASSES,
      .top = ANSWER_TOP,
      .ram_bytes = ANSWER_RAM_BYTES,
  };
  tinyml_read_hash(ANSWER_HASH, info.answer_hash);
  tinyml_pack_answer_info_reply(tinyml_server_reply(), &info);
  tinyml_server_answer(TINYML_STATUS_OK);
}

void tinyml_answer(struct tinyml_reader *payload)
{
  struct tinyml_answer_request request;
  if (!tinyml_unpack_answer_request(payload, &request)) {
    tinyml_server_fail(TINYML_STATUS_MALFORMED, "");
    return;
  }
  if (!tinyml_inference_has_outputs()) {
    tinyml_server_fail(TINYML_STATUS_NO_RESULT, "");
    return;
  }
  tinyml_answers_take((request.flags & (unsigned)TINYML_RUN_APART) != 0);
  struct tinyml_writer *const reply = tinyml_server_reply();
  tinyml_pack_answer_reply(reply, &last);
  write_top(reply);
  tinyml_server_answer(TINYML_STATUS_OK);
}
#else
static void refuse(void)
{
  tinyml_server_fail(TINYML_STATUS_NOT_SUPPORTED, "built without [answer]");
}

void tinyml_answer_info(struct tinyml_reader *payload)
{
  (void)payload;
  refuse();
}

void tinyml_answer(struct tinyml_reader *payload)
{
  (void)payload;
  refuse();
}
#endif
