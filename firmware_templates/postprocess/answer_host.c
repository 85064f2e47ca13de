/* What a program on the computer needs beside model_answer.h: a state that can be put aside, so
 * that one library serves many streams.  Not part of any firmware. */
#include "model_answer.c"

void answer_host_save(void *to);
void answer_host_load(const void *from);
void answer_host_keep_input(const void *input);
void answer_host_take(const answer_value *scores, struct answer *answer);

void answer_host_save(void *to) { memcpy(to, &state, sizeof state); }

void answer_host_load(const void *from) { memcpy(&state, from, sizeof state); }

void answer_host_keep_input(const void *input) { answer_keep_input(input); }

void answer_host_take(const answer_value *scores, struct answer *answer)
{
  *answer = answer_take(scores);
}
