/* Arm CMSDK APB UART (Cortex-M System Design Kit manual, DDI 0479): one byte each way. */

#include "cortex_m.h"
#include "drivers.h"

#define UART_DATA (*port_register(PORT_UART_BASE + 0x00u))
#define UART_STATE (*port_register(PORT_UART_BASE + 0x04u))
#define UART_CTRL (*port_register(PORT_UART_BASE + 0x08u))
#define UART_INTERRUPT (*port_register(PORT_UART_BASE + 0x0Cu))
#define UART_DIVIDER (*port_register(PORT_UART_BASE + 0x10u))

#define STATE_SEND_FULL (1u << 0)
#define STATE_RECEIVED (1u << 1)
#define STATE_OVERRUN (1u << 3)
#define CTRL_SEND (1u << 0)
#define CTRL_RECEIVE (1u << 1)
#define CTRL_RECEIVE_INTERRUPT (1u << 3)
#define INTERRUPT_RECEIVE (1u << 1)

_Static_assert(PORT_UART_CLOCK_HZ / PORT_UART_BAUD >= 16, "the divider must be 16 or more");

void port_uart_init(void)
{
  UART_DIVIDER = PORT_UART_CLOCK_HZ / PORT_UART_BAUD;
  UART_CTRL = CTRL_SEND | CTRL_RECEIVE | CTRL_RECEIVE_INTERRUPT;
}

void port_uart_put(uint8_t byte)
{
  while (UART_STATE & STATE_SEND_FULL) {
  }
  UART_DATA = byte;
}

void port_uart_interrupt(void)
{
  UART_INTERRUPT = INTERRUPT_RECEIVE;
  if (UART_STATE & STATE_OVERRUN) {
    UART_STATE = STATE_OVERRUN;
    port_receive_lost();
  }
  while (UART_STATE & STATE_RECEIVED) {
    if (port_receive_room() == 0) {
      port_receive_hold();
      return;
    }
    port_receive_byte((uint8_t)UART_DATA);
  }
}
