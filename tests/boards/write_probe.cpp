/* Sends through port_write() to a serial object that takes `argv[1]` calls, then none until
 * `argv[2]` ms have passed.  Writes for each of six sends how many bytes came and the ms it took.
 */
#include <Arduino.h>
#include <stdio.h>
#include <stdlib.h>

#include "drivers.h"

static unsigned long ms;
static long calls_taken;
static unsigned long deaf_until;
static size_t came;

unsigned long millis(void) { return ms; }
unsigned long micros(void) { return ms * 1000u; }
void yield(void) { ms++; }
void delay(unsigned long wait) { ms += wait; }
void port_chip_init(void) {}
void port_timer_init(void) {}
uint64_t port_ticks(void) { return ms; }

void StandInSerial::begin(unsigned long) {}
int StandInSerial::available() { return 0; }
int StandInSerial::read() { return -1; }
void StandInSerial::flush() {}
size_t StandInSerial::write(const uint8_t *data, size_t bytes)
{
  if (calls_taken-- <= 0 && ms < deaf_until) {
    return 0;
  }
  const size_t taken = bytes < 64 ? bytes : 64;
  for (size_t i = 0; i < taken; i++) {
    if (data[i] != came++) {
      exit(3); /* not the byte that comes next */
    }
  }
  return taken;
}
StandInSerial Serial;

int main(int argc, char **argv)
{
  if (argc != 3) {
    return 2;
  }
  calls_taken = atol(argv[1]);
  deaf_until = strtoul(argv[2], nullptr, 10);
  uint8_t data[100];
  for (uint8_t i = 0; i < sizeof data; i++) {
    data[i] = i;
  }
  port_init();
  for (int i = 0; i < 6; i++) {
    const unsigned long before = ms;
    came = 0;
    port_write(data, sizeof data);
    printf("%zu %lu\n", came, ms - before);
  }
  return 0;
}
