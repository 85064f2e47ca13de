/* Reads values of micros() from stdin, and writes what port_ticks() makes of each. */
#include <Arduino.h>
#include <stdio.h>

#include "drivers.h"

static unsigned long now;

unsigned long micros(void) { return now; }

int main(void)
{
  port_timer_init();
  while (scanf("%lu", &now) == 1) {
    printf("%llu\n", (unsigned long long)port_ticks());
  }
  printf("%lu\n", (unsigned long)port_ticks_hz());
  return 0;
}
