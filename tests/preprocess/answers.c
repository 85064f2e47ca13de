/* Answers to the scores in the file `scores`, written to the file `answers`; for the emulator. */
#include "port.h"

#include "model_answer.c"

int main(void)
{
  static answer_value scores[ANSWER_CLASSES];
  int32_t top[ANSWER_CLASSES];
  port_init();
  const int from = port_file_open("scores", PORT_FILE_READ);
  const int to = port_file_open("answers", PORT_FILE_WRITE);
  answer_start();
  while (port_file_read(from, scores, sizeof scores) == sizeof scores) {
    const struct answer answer = answer_take(scores);
    answer_top(ANSWER_CLASSES, top);
    port_file_write(to, &answer, sizeof answer);
    port_file_write(to, top, sizeof top);
  }
  (void)port_file_close(from);
  port_exit(port_file_close(to) == 0 ? 0 : 1);
}
