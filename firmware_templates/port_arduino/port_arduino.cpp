/* The port on the Arduino framework: bytes through its serial object, and the end. */
#include <Arduino.h>

#include "drivers.h"
#include "port_serial.h"

/* A host that takes nothing for so long does not listen; what it misses it will ask for again. */
static const uint32_t PATIENCE_MS = 200;

static bool nobody_listens;

void port_init(void)
{
  port_chip_init();
  port_serial_begin();
  port_timer_init();
}

int port_read(void) { return PORT_SERIAL.available() > 0 ? PORT_SERIAL.read() : -1; }

void port_wait(void)
{
  (void)port_ticks(); /* often enough to notice when the timer's 32 bits wrap */
  yield();
}

void port_write(const uint8_t *data, size_t bytes)
{
  uint32_t moved_at = (uint32_t)millis();
  while (bytes > 0) {
    const size_t sent = PORT_SERIAL.write(data, bytes);
    data += sent;
    bytes -= sent;
    if (sent > 0) {
      nobody_listens = false;
      moved_at = (uint32_t)millis();
    } else if (nobody_listens || (uint32_t)millis() - moved_at >= PATIENCE_MS) {
      nobody_listens = true;
      return;
    } else {
      yield();
    }
  }
  port_serial_push();
}

size_t port_receive_capacity(void) { return PORT_RECEIVE_BYTES; }

uint32_t port_receive_overruns(void) { return 0; /* the framework does not tell */ }

/* Interrupts stay on: without them a board with its own USB could not be programmed again. */
PORT_NORETURN void port_exit(int status)
{
  (void)status;
  for (;;) {
    delay(1000);
  }
}
