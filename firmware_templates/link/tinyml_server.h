/* Sessions, sequence numbers and replies: what all requests have in common. */
#ifndef TINYML_SERVER_H
#define TINYML_SERVER_H

#include <stdint.h>

#include "tinyml_protocol.h"

/* The payload of the answer to the request in work: empty, ready to be written. */
struct tinyml_writer *tinyml_server_reply(void);

/* Sends what was written to tinyml_server_reply(), and keeps it for a host that asks again. */
void tinyml_server_answer(enum tinyml_status status);

/* Answers with an error and a detail for people. */
void tinyml_server_fail(enum tinyml_status status, const char *detail);

/* Says WORKING when some time has passed since the last sign of life. */
void tinyml_server_progress(uint32_t inferences_done);

/* Takes one byte that has arrived, or sleeps until one may have. */
void tinyml_server_serve(void);

/* Obeys the request in work, which a paused run has left unanswered. */
void tinyml_server_obey(void);

#endif
