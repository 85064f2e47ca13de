/* Sending: by polling, so that it works anywhere, in fault handlers too. */

#include "drivers.h"

void port_write(const uint8_t *data, size_t bytes)
{
  for (size_t i = 0; i < bytes; i++) {
    port_uart_put(data[i]);
  }
}
