/* One function a request: it reads the payload and answers through tinyml_server.h.
 *
 * CONTINUE, and HELLO and ABORT while a run is paused, do not answer: they make the paused run go
 * on, and that answers. */
#ifndef TINYML_REQUESTS_H
#define TINYML_REQUESTS_H

#include "tinyml_protocol.h"

void tinyml_hello(struct tinyml_reader *payload);
void tinyml_input_info(struct tinyml_reader *payload);
void tinyml_output_info(struct tinyml_reader *payload);
void tinyml_set_input(struct tinyml_reader *payload);
void tinyml_run(struct tinyml_reader *payload);
void tinyml_get_output(struct tinyml_reader *payload);
void tinyml_get_layer(struct tinyml_reader *payload);
void tinyml_continue(struct tinyml_reader *payload);
void tinyml_abort(struct tinyml_reader *payload);
void tinyml_benchmark(struct tinyml_reader *payload);
void tinyml_bulk(struct tinyml_reader *payload);
void tinyml_profile(struct tinyml_reader *payload);
void tinyml_reset(struct tinyml_reader *payload);
void tinyml_model_state(struct tinyml_reader *payload);
void tinyml_features_info(struct tinyml_reader *payload);
void tinyml_features_start(struct tinyml_reader *payload);
void tinyml_push(struct tinyml_reader *payload);
void tinyml_get_input(struct tinyml_reader *payload);
void tinyml_replay(struct tinyml_reader *payload);
void tinyml_answer_info(struct tinyml_reader *payload);
void tinyml_answer(struct tinyml_reader *payload);
void tinyml_feed(struct tinyml_reader *payload);

#endif
