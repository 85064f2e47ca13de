/* The application on a board with the Arduino framework, which has main() itself: your code goes
 * into main.c, which is the same in the emulator, tinyml_report() of its inferences included. */
#include <Arduino.h>

#include "application.h"
#include "port.h"

void setup()
{
  port_init();
  application_start();
}

void loop() { application_loop(); }
