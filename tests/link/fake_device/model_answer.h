/* Answers for tests of the link: the first 3 outputs are scores; the score counts windows. */
#ifndef MODEL_ANSWER_H_
#define MODEL_ANSWER_H_

#include <stdint.h>

#define ANSWER_HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ANSWER_CLASSES 3
#define ANSWER_TOP 2
#define ANSWER_RAM_BYTES 8
#define ANSWER_OUTPUT_BYTES 3
#define ANSWER_INPUT_BYTES 1

typedef int8_t answer_value;
typedef int8_t answer_input;

struct answer {
  int32_t detected;
  int32_t best;
  float score;
};

void answer_start(void);
void answer_keep_input(const answer_input *input);
struct answer answer_take(const answer_value *scores);
float answer_score(int32_t label);
void answer_top(int32_t count, int32_t *top);
const char *answer_label(int32_t label);

#endif
