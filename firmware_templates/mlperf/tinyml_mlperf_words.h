/* The words of a command. */
#ifndef TINYML_MLPERF_WORDS_H
#define TINYML_MLPERF_WORDS_H

#include <stdbool.h>
#include <stdint.h>

/* What is left of a command: words between spaces.  `*end` is its NUL. */
struct tinyml_words {
  char *text;
  char *end;
};

/* The next word, or NULL. */
const char *tinyml_next_word(struct tinyml_words *words);

bool tinyml_word_is(const char *word, const char *other);

/* The next word as a decimal number; false where it is none, or has more than nine digits. */
bool tinyml_next_number(struct tinyml_words *words, uint32_t *number);

/* As tinyml_next_number(), but without another word `number` stays as it is. */
bool tinyml_next_number_or_end(struct tinyml_words *words, uint32_t *number);

#endif
