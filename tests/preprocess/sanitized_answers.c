/* Answers to the windows on stdin, to stdout; for sanitizers.  Each tensor has just its size. */
#include <stdio.h>
#include <stdlib.h>

#include "model_answer.h"

static bool take(void)
{
  char *const input = malloc(ANSWER_INPUT_BYTES + 1);
  char *const output = malloc(ANSWER_OUTPUT_BYTES);
  const bool there = fread(input, 1, ANSWER_INPUT_BYTES, stdin) == ANSWER_INPUT_BYTES &&
                     fread(output, 1, ANSWER_OUTPUT_BYTES, stdin) == ANSWER_OUTPUT_BYTES;
  if (there) {
    int32_t top[ANSWER_TOP];
    float scores[ANSWER_TOP];
    answer_keep_input((const void *)input);
    const struct answer answer = answer_take((const void *)output);
    answer_top(ANSWER_TOP, top);
    for (int32_t i = 0; i < ANSWER_TOP; i++) {
      scores[i] = answer_score(top[i]);
    }
    fwrite(&answer, sizeof answer, 1, stdout);
    fwrite(top, sizeof top, 1, stdout);
    fwrite(scores, sizeof scores, 1, stdout);
  }
  free(input);
  free(output);
  return there;
}

int main(void)
{
  answer_start();
  while (take()) {
  }
  const bool outside = answer_label(-1)[0] == '\0' && answer_label(ANSWER_CLASSES)[0] == '\0' &&
                       answer_score(-1) == 0.0f && answer_score(ANSWER_CLASSES) == 0.0f;
  return outside ? 0 : 1;
}
