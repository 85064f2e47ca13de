/* The application of main.c on a board with the Arduino framework, which has main() itself. */
#include <Arduino.h>

#include "application.h"
#include "port.h"

void setup()
{
  port_init();
  application_start();
}

void loop() { application_loop(); }
