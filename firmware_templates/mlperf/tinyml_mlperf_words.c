#include "tinyml_mlperf_words.h"

#include <stddef.h>

enum { DIGITS_AT_MOST = 9 }; /* so that every number fits 32 bits */

const char *tinyml_next_word(struct tinyml_words *words)
{
  while (*words->text == ' ') {
    words->text++;
  }
  if (words->text == words->end) {
    return NULL;
  }
  const char *word = words->text;
  while (words->text < words->end && *words->text != ' ') {
    words->text++;
  }
  if (words->text < words->end) {
    *words->text++ = '\0';
  }
  return word;
}

bool tinyml_word_is(const char *word, const char *other)
{
  while (*word != '\0' && *word == *other) {
    word++;
    other++;
  }
  return *word == *other;
}

static bool read_number(const char *word, uint32_t *number)
{
  uint32_t value = 0;
  size_t digits = 0;
  for (; word[digits] != '\0'; digits++) {
    if (word[digits] < '0' || word[digits] > '9' || digits == DIGITS_AT_MOST) {
      return false;
    }
    value = value * 10u + (uint32_t)(word[digits] - '0');
  }
  *number = value;
  return true;
}

bool tinyml_next_number(struct tinyml_words *words, uint32_t *number)
{
  const char *word = tinyml_next_word(words);
  return word != NULL && read_number(word, number);
}

bool tinyml_next_number_or_end(struct tinyml_words *words, uint32_t *number)
{
  const char *word = tinyml_next_word(words);
  return word == NULL || read_number(word, number);
}
