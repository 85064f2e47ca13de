#include "tinyml_mlperf.h"

#include <stdbool.h>
#include <stdint.h>

#include "port.h"
#include "tinyml_inference.h"
#include "tinyml_link_config.h"
#include "tinyml_mlperf_config.h"
#include "tinyml_mlperf_data.h"
#include "tinyml_mlperf_result.h"
#include "tinyml_mlperf_words.h"
#include "tinyml_print.h"
#include "tinyml_run.h"

/* The version of the protocol, by the name that the runner expects. */
#define PROFILE "ULPMark for tinyML Firmware V0.0.1"

enum { WARMUPS_IF_NOT_SAID = 10, BYTES_A_LINE = 8 };

static void print_error(const char *what)
{
  tinyml_print("e-[");
  tinyml_print(what);
  tinyml_print_line("]");
}

static void print_number_line(const char *before, uint64_t number, const char *after)
{
  tinyml_print(before);
  tinyml_print_uint(number);
  tinyml_print_line(after);
}

static void print_byte(uint8_t byte)
{
  const char digits[] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15u], '\0'};
  tinyml_print(digits);
}

static void timestamp(struct tinyml_words *words)
{
  (void)words;
  const uint64_t ticks = port_ticks();
  const uint32_t hz = port_ticks_hz();
  print_number_line("m-lap-us-", ticks / hz * 1000000u + ticks % hz * 1000000u / hz, "");
}

static void name(struct tinyml_words *words)
{
  (void)words;
  tinyml_print_line("m-name-dut-[" TINYML_BOARD "]");
}

static void profile(struct tinyml_words *words)
{
  (void)words;
  tinyml_print_line("m-profile-[" PROFILE "]");
  tinyml_print_line("m-model-[" TINYML_MLPERF_MODEL "]");
}

static void help(struct tinyml_words *words)
{
  (void)words;
  tinyml_print_line(PROFILE);
  tinyml_print_line("name%            what this is");
  tinyml_print_line("profile%         version of the protocol, and the benchmark's model");
  tinyml_print_line("timestamp%       microseconds since the start");
  tinyml_print_line("db load N%       begin to load N bytes");
  tinyml_print_line("db HH..%         the next of them, in hexadecimal");
  tinyml_print_line("db print [N=all] [OFFSET=0]%  show them");
  tinyml_print_line("infer [N=1] [W=10]%  run N times after W times that do not count");
  tinyml_print_line("results%         results of the last infer");
  tinyml_print_line("help%            this list");
}

static void load(struct tinyml_words *words)
{
  uint32_t bytes = 0;
  if (!tinyml_next_number(words, &bytes) || bytes == 0) {
    print_error("Command 'db load' requires a number of bytes above 0");
    return;
  }
  if (!tinyml_mlperf_data_expect(bytes)) {
    print_number_line("e-[More bytes than the input has: ", TINYML_MLPERF_DATA_BYTES, "]");
    return;
  }
  print_number_line("m-[Expecting ", bytes, " bytes]");
}

static void take_bytes(const char *digits)
{
  switch (tinyml_mlperf_data_take(digits)) {
  case TINYML_MLPERF_TAKEN:
    break;
  case TINYML_MLPERF_COMPLETE:
    tinyml_print_line("m-load-done");
    break;
  case TINYML_MLPERF_ODD_DIGITS:
    print_error("Insufficient number of hex digits");
    break;
  case TINYML_MLPERF_BAD_DIGIT:
    print_error("Invalid hex digit");
    break;
  case TINYML_MLPERF_NOT_EXPECTED:
    print_error("No more bytes are expected, begin with 'db load'");
    break;
  }
}

static void print_bytes(struct tinyml_words *words)
{
  const uint32_t loaded = (uint32_t)tinyml_mlperf_data_loaded();
  uint32_t count = loaded;
  uint32_t offset = 0;
  if (!tinyml_next_number_or_end(words, &count) || !tinyml_next_number_or_end(words, &offset)) {
    print_error("Command 'db print' takes a number of bytes and an offset");
    return;
  }
  if (offset > loaded) {
    offset = loaded;
  }
  if (count > loaded - offset) {
    count = loaded - offset;
  }
  for (uint32_t i = 0; i < count; i++) {
    tinyml_print(i % BYTES_A_LINE == 0 ? "m-buffer-" : "-");
    print_byte(tinyml_mlperf_data_at(offset + i));
    if ((i + 1u) % BYTES_A_LINE == 0 || i + 1u == count) {
      tinyml_print_line("");
    }
  }
}

static void db(struct tinyml_words *words)
{
  const char *what = tinyml_next_word(words);
  if (what == NULL) {
    print_error("Command 'db' requires a subcommand");
  } else if (tinyml_word_is(what, "load")) {
    load(words);
  } else if (tinyml_word_is(what, "print")) {
    print_bytes(words);
  } else {
    take_bytes(what);
  }
}

/* False, with a reason, where the model cannot run now. */
static bool prepare(void)
{
  if (tinyml_run_is_paused()) {
    print_error("A program on the host looks at a layer right now");
    return false;
  }
  if (tinyml_inference_model_status() != 0) {
    print_error("The model did not start");
    return false;
  }
  if (!tinyml_mlperf_data_prepare()) {
    print_number_line("e-[The input is not loaded, it has ", TINYML_MLPERF_DATA_BYTES, " bytes]");
    return false;
  }
  return true;
}

static bool run(uint32_t times)
{
  for (uint32_t i = 0; i < times; i++) {
    uint64_t ticks = 0;
    tinyml_mlperf_data_to_input();
    const int status = tinyml_inference_run(&ticks);
    if (status != 0) {
      tinyml_print("e-[model_invoke() returned ");
      tinyml_print_int(status);
      tinyml_print_line("]");
      return false;
    }
  }
  return true;
}

static void infer(struct tinyml_words *words)
{
  uint32_t times = 1;
  uint32_t warmups = WARMUPS_IF_NOT_SAID;
  if (!tinyml_next_number_or_end(words, &times) || times == 0) {
    print_error("Inference iterations must be >0");
    return;
  }
  if (!tinyml_next_number_or_end(words, &warmups)) {
    print_error("Inference warmup must be >=0");
    return;
  }
  tinyml_mlperf_result_forget();
  if (!prepare()) {
    return;
  }
  print_number_line("m-warmup-start-", warmups, "");
  if (!run(warmups)) {
    return;
  }
  tinyml_print_line("m-warmup-done");
  print_number_line("m-infer-start-", times, "");
  timestamp(words);
  if (!run(times)) {
    return;
  }
  timestamp(words);
  tinyml_print_line("m-infer-done");
  tinyml_mlperf_result_take();
  tinyml_mlperf_result_print();
}

static void results(struct tinyml_words *words)
{
  (void)words;
  if (!tinyml_mlperf_result_print()) {
    print_error("There is no result, begin with 'infer'");
  }
}

static const struct command {
  const char *name;
  void (*obey)(struct tinyml_words *words);
} commands[] = {
    {"name", name}, {"profile", profile}, {"timestamp", timestamp}, {"help", help},
    {"db", db},     {"infer", infer},     {"results", results},
};

static void obey(struct tinyml_words *words)
{
  const char *first = tinyml_next_word(words);
  for (size_t i = 0; first != NULL && i < sizeof commands / sizeof commands[0]; i++) {
    if (tinyml_word_is(first, commands[i].name)) {
      commands[i].obey(words);
      return;
    }
  }
  tinyml_print("e-[Unknown command: ");
  tinyml_print(first == NULL ? "" : first);
  tinyml_print_line("]");
}

static void print_ready(void) { tinyml_print_line("m-ready"); }

void tinyml_mlperf_obey(char *command, size_t bytes)
{
  struct tinyml_words words = {.text = command, .end = command + bytes};
  obey(&words);
  print_ready();
}

void tinyml_mlperf_refuse(void)
{
  print_error("A command is text of at most 80 characters");
  print_ready();
}

void tinyml_mlperf_greet(void)
{
  tinyml_print_line("m-timestamp-mode-performance");
  timestamp(NULL);
  tinyml_print_line("m-init-done");
  print_ready();
}
