/* UART of Nordic's nRF51 (nRF51 Reference Manual 3.0, chapter 29): six bytes of FIFO in. */

#include "cortex_m.h"
#include "drivers.h"

#define UART_TASK_START_RECEIVE (*port_register(PORT_UART_BASE + 0x000u))
#define UART_TASK_START_SEND (*port_register(PORT_UART_BASE + 0x008u))
#define UART_EVENT_RECEIVED (*port_register(PORT_UART_BASE + 0x108u))
#define UART_EVENT_SENT (*port_register(PORT_UART_BASE + 0x11Cu))
#define UART_INTERRUPT_SET (*port_register(PORT_UART_BASE + 0x304u))
#define UART_ERRORS (*port_register(PORT_UART_BASE + 0x480u))
#define UART_ENABLE (*port_register(PORT_UART_BASE + 0x500u))
#define UART_PIN_SEND (*port_register(PORT_UART_BASE + 0x50Cu))
#define UART_PIN_RECEIVE (*port_register(PORT_UART_BASE + 0x514u))
#define UART_RECEIVE (*port_register(PORT_UART_BASE + 0x518u))
#define UART_SEND (*port_register(PORT_UART_BASE + 0x51Cu))
#define UART_BAUD (*port_register(PORT_UART_BASE + 0x524u))
#define GPIO_SET (*port_register(0x50000508u))
#define GPIO_OUTPUT (*port_register(0x50000518u))

#define ENABLE_UART 4u
#define INTERRUPT_RECEIVED (1u << 2)
#define ERROR_OVERRUN (1u << 0)

/* The register holds baud * 2^32 / clock, rounded to its upper 20 bits. */
#define BAUD_VALUE \
  ((uint32_t)(((((uint64_t)PORT_UART_BAUD << 32) / PORT_UART_CLOCK_HZ) + 0x800u) & 0xFFFFF000u))

void port_uart_init(void)
{
  GPIO_SET = 1u << PORT_UART_TX_PIN; /* idle level, before the pin becomes an output */
  GPIO_OUTPUT = 1u << PORT_UART_TX_PIN;
  UART_ENABLE = ENABLE_UART;
  UART_PIN_SEND = PORT_UART_TX_PIN;
  UART_PIN_RECEIVE = PORT_UART_RX_PIN;
  UART_BAUD = BAUD_VALUE;
  UART_INTERRUPT_SET = INTERRUPT_RECEIVED;
  UART_TASK_START_SEND = 1;
  UART_TASK_START_RECEIVE = 1;
}

void port_uart_put(uint8_t byte)
{
  UART_EVENT_SENT = 0;
  UART_SEND = byte;
  while (UART_EVENT_SENT == 0) {
  }
}

void port_uart_interrupt(void)
{
  if (UART_ERRORS & ERROR_OVERRUN) {
    UART_ERRORS = ERROR_OVERRUN;
    port_receive_lost();
  }
  while (UART_EVENT_RECEIVED) {
    if (port_receive_room() == 0) {
      port_receive_hold();
      return;
    }
    UART_EVENT_RECEIVED = 0; /* before the read, which may raise it again for the next byte */
    port_receive_byte((uint8_t)UART_RECEIVE);
  }
}
