/* Answers to the windows in the file `windows`, written to the file `answers`; for the emulator.
 *
 * A window is what an anomaly score needs of the model's input, then the model's output. */
#include "port.h"

#include "model_answer.c"

enum { WINDOWS_AT_ONCE = 32, WINDOW_BYTES = ANSWER_INPUT_BYTES + ANSWER_OUTPUT_BYTES };

static struct {
  struct answer answer;
  int32_t top[ANSWER_TOP];
  float scores[ANSWER_TOP];
} records[WINDOWS_AT_ONCE];

static uint8_t windows[WINDOWS_AT_ONCE][WINDOW_BYTES];

static void take(size_t window)
{
  static _Alignas(8) uint8_t input[ANSWER_INPUT_BYTES + 1];
  static _Alignas(8) uint8_t output[ANSWER_OUTPUT_BYTES];
  memcpy(input, windows[window], ANSWER_INPUT_BYTES);
  memcpy(output, windows[window] + ANSWER_INPUT_BYTES, ANSWER_OUTPUT_BYTES);
  answer_keep_input((const void *)input);
  records[window].answer = answer_take((const void *)output);
  answer_top(ANSWER_TOP, records[window].top);
  for (int32_t i = 0; i < ANSWER_TOP; ++i) {
    records[window].scores[i] = answer_score(records[window].top[i]);
  }
}

int main(void)
{
  port_init();
  const int from = port_file_open("windows", PORT_FILE_READ);
  const int to = port_file_open("answers", PORT_FILE_WRITE);
  answer_start();
  for (;;) {
    const size_t count = port_file_read(from, windows, sizeof windows) / WINDOW_BYTES;
    for (size_t window = 0; window < count; ++window) {
      take(window);
    }
    port_file_write(to, records, count * sizeof records[0]);
    if (count < WINDOWS_AT_ONCE) {
      break;
    }
  }
  (void)port_file_close(from);
  port_exit(port_file_close(to) == 0 ? 0 : 1);
}
