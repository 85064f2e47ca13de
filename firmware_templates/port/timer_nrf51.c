/* TIMER0 of Nordic's nRF51: 32 bits at 16 MHz (nRF51 Reference Manual 3.0, chapter 18). */

#include "cortex_m.h"
#include "drivers.h"

#define TIMER_TASK_START (*port_register(PORT_TIMER_BASE + 0x000u))
#define TIMER_TASK_CAPTURE0 (*port_register(PORT_TIMER_BASE + 0x040u))
#define TIMER_BITS (*port_register(PORT_TIMER_BASE + 0x508u))
#define TIMER_PRESCALER (*port_register(PORT_TIMER_BASE + 0x510u))
#define TIMER_COMPARE(n) (*port_register(PORT_TIMER_BASE + 0x540u + 4u * (n)))

#define BITS_32 3u
#define COMPARE_REGISTERS 4u

static uint32_t last;
static uint32_t wraps;

void port_timer_init(void)
{
  TIMER_BITS = BITS_32;
  TIMER_PRESCALER = 0;
  /* All compare events fire now and never again.  One still to come would be a deadline, and an
   * emulator that skips idle time would jump to it, minutes ahead, whenever the core sleeps. */
  for (uint32_t i = 0; i < COMPARE_REGISTERS; i++) {
    TIMER_COMPARE(i) = 1;
  }
  TIMER_TASK_START = 1;
}

uint64_t port_ticks(void)
{
  TIMER_TASK_CAPTURE0 = 1;
  uint32_t counter = TIMER_COMPARE(0);
  wraps += counter < last;
  last = counter;
  return ((uint64_t)wraps << 32) | counter;
}

uint32_t port_ticks_hz(void) { return PORT_TIMER_HZ; }
