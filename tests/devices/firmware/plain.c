/* A firmware for a lone board: no semihosting; it answers "f" with a fault and "r" with a reset. */

#include <stdint.h>

#include "port.h"

int main(void)
{
  static const uint8_t hello[] = "hello\n";
  port_write(hello, sizeof hello - 1);
  for (;;) {
    int byte = port_read();
    if (byte < 0) {
      port_wait();
    } else if (byte == 'f') {
      __asm volatile("udf #1");
    } else if (byte == 'r') {
      port_reset();
    } else if (byte == 'e') {
      return 0;
    }
  }
}
