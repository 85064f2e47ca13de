/* Received bytes: a ring that the UART's interrupt handler fills and the application empties. */

#include "cortex_m.h"
#include "drivers.h"

_Static_assert((PORT_RECEIVE_BYTES & (PORT_RECEIVE_BYTES - 1u)) == 0, "must be a power of two");

static uint8_t ring[PORT_RECEIVE_BYTES];
static volatile uint32_t received; /* written by the interrupt handler only */
static volatile uint32_t taken;    /* written by port_read() only */
static volatile uint32_t lost;
static volatile int held;

size_t port_receive_room(void) { return PORT_RECEIVE_BYTES - (received - taken); }

void port_receive_byte(uint8_t byte)
{
  ring[received % PORT_RECEIVE_BYTES] = byte;
  received = received + 1;
}

void port_receive_hold(void)
{
  port_nvic_disable(PORT_UART_IRQ); /* the bytes wait in the UART, and in an emulator before it */
  held = 1;
}

void port_receive_lost(void) { lost = lost + 1; }

int port_read(void)
{
  if (received == taken) {
    return -1;
  }
  uint8_t byte = ring[taken % PORT_RECEIVE_BYTES];
  taken = taken + 1;
  if (held && port_receive_room() >= PORT_RECEIVE_BYTES / 2) {
    held = 0;
    port_nvic_set_pending(PORT_UART_IRQ); /* a byte that waits in the UART may raise no new one */
    port_nvic_enable(PORT_UART_IRQ);
  }
  return byte;
}

void port_wait(void)
{
  /* With interrupts masked no byte can slip in between the test and the sleep; a pending
   * interrupt ends the sleep all the same.  Polling instead would starve an emulator's I/O. */
  port_interrupts_off();
  if (received == taken) {
    port_wait_for_interrupt();
  }
  port_interrupts_on();
}

size_t port_receive_capacity(void) { return PORT_RECEIVE_BYTES; }

uint32_t port_receive_overruns(void) { return lost; }
