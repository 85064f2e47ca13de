/*
 * The application. This file is yours; everything below lib/ is generated.
 *
 * As it stands it starts the model and waits for commands on the serial port: from tinyml-tool, or
 * from a person who types `help` in any serial monitor. lib/model/model.h describes the model.
 */
#include <stdbool.h>
#include <stddef.h>

#include "application.h"
#include "model.h"
#include "port.h"
#include "tinyml_fed.h"
#include "tinyml_link.h"
#include "tinyml_link_config.h"
#include "tinyml_report.h"
#if TINYML_ANSWER
#include "model_answer.h"
#include "tinyml_print.h"
#endif
#if TINYML_SOURCE
#include "tinyml_sense.h"
#endif

#if TINYML_FEATURES
#if TINYML_ANSWER
static void forget_answers(void) { answer_start(); }

/* Runs the model on its input and tells what its outputs say. */
static void infer(void)
{
  answer_keep_input(model_input(0)->data);
  const uint64_t start = port_ticks();
  if (model_invoke() != 0) {
    return;
  }
  const uint64_t ticks = port_ticks() - start;
  const struct answer answer = answer_take(model_output(0)->data);
  tinyml_report_answer(ticks, &answer);
  if (answer.detected >= 0) { /* once in the refractory time: here it is acted upon */
    tinyml_print(answer_label(answer.detected));
    tinyml_print(" ");
    tinyml_print_real(1, answer.score);
    tinyml_print_line("");
  }
}
#else
static void forget_answers(void) {}

/* Runs the model on its input and tells its outputs. */
static void infer(void)
{
  const uint64_t start = port_ticks();
  if (model_invoke() == 0) {
    tinyml_report(port_ticks() - start);
  }
}
#endif

#if TINYML_SOURCE
/* Runs the model when the sensor has completed its input; false where there was nothing to do. */
static bool sense(void)
{
  static uint32_t gaps;
  const bool ready = tinyml_sense();
  if (gaps != tinyml_sense_gaps()) { /* no average reaches across a gap either */
    gaps = tinyml_sense_gaps();
    forget_answers();
  }
  if (ready) {
    infer();
  }
  return !tinyml_sense_idle();
}

static void leave_sensor(void)
{
  tinyml_sense_stop();
  forget_answers();
}
#else
static bool sense(void) { return false; }

static void leave_sensor(void) {}
#endif

/* Makes features of samples, and runs the model whenever its input is complete. */
static void use(const features_sample *samples, size_t count)
{
  while (count > 0) {
    const size_t taken = features_push(samples, count);
    samples += taken;
    count -= taken;
    if (features_ready()) {
      infer();
    }
  }
}

/* Works on what a computer feeds in place of the sensor, or else on the sensor's samples; false
 * where there was nothing to do. */
static bool work(void)
{
  enum { MOST = 32 };
  features_sample samples[MOST];
  const int count = tinyml_fed_samples(samples, MOST);
  if (count == TINYML_FED_NOTHING) {
    return sense();
  }
  if (count == TINYML_FED_ANEW) {
    leave_sensor();
    features_start(model_input(0)->data);
    forget_answers();
    return true;
  }
  use(samples, (size_t)count);
  return count > 0;
}
#else
static bool work(void) { return false; }

static void leave_sensor(void) {}
#endif

/* Called again and again. Where it returns false, the core sleeps until something is received. */
static bool step(void)
{
  if (tinyml_link_active()) {
    leave_sensor();
    return false; /* a computer uses the model right now; its inputs and outputs share memory */
  }
  /*
   * Your code here. To run the model on values of your own:
   *
   *   const struct model_tensor *input = model_input(0);
   *   int8_t *values = input->data;
   *   for (size_t i = 0; i < input->bytes; i++) {
   *     values[i] = (int8_t)input->zero_point;
   *   }
   *   const uint64_t start = port_ticks();
   *   if (model_invoke() == 0) {
   *     tinyml_report(port_ticks() - start);
   *   }
   *
   * tinyml_report() prints one line, which `tinyml monitor` shows as time and highest outputs. The
   * values themselves are in model_output(0)->data; tinyml_print.h prints text of your own.
   * A stored value v means input->scale * (v - input->zero_point); 0 is stored as the zero point.
   * Fill the whole input before every run: the model works in the same memory. Return true as
   * long as there is work to do.
   */
  return work();
}

void application_start(void) { tinyml_link_init(model_init()); }

void application_loop(void)
{
  tinyml_link_poll();
  if (!step()) {
    port_wait();
  }
}

#ifndef ARDUINO /* on a board with the Arduino framework, main.cpp calls the two */
int main(void)
{
  application_start();
  for (;;) {
    application_loop();
  }
}
#endif
