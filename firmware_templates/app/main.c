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
#include "tinyml_link.h"
#include "tinyml_link_config.h"
#include "tinyml_report.h"
#if TINYML_SOURCE
#include "tinyml_sense.h"
#endif

#if TINYML_SOURCE
/* Runs the model when the sensor has completed its input; false where there was nothing to do. */
static bool sense(void)
{
  if (tinyml_sense()) {
    const uint64_t start = port_ticks();
    if (model_invoke() == 0) {
      tinyml_report(port_ticks() - start);
    }
  }
  return !tinyml_sense_idle();
}

static void leave_sensor(void) { tinyml_sense_stop(); }
#else
static bool sense(void) { return false; }

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
  return sense();
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
