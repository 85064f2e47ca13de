/* What the outputs of the link's runs say, where the firmware has lib/answer/. */
#ifndef TINYML_ANSWERS_H
#define TINYML_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "tinyml_link_config.h"
#include "tinyml_records.h"

#if TINYML_ANSWER
/* Forgets all windows. */
void tinyml_answers_start(void);

/* The model is about to run. */
void tinyml_answers_keep_input(void);

/* Takes the outputs of the last run, if that is not done yet; `apart`: as the only window. */
void tinyml_answers_take(bool apart);

/* Prints the last answer for people. */
void tinyml_answers_print(void);

#if TINYML_SEMIHOSTING
/* The record of the last answer. */
void tinyml_write_answer(struct tinyml_records *records, uint32_t inference);
#endif
#else
static inline void tinyml_answers_start(void) {}
static inline void tinyml_answers_keep_input(void) {}
#endif

#endif
