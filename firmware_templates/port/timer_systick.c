/* SysTick: 24 bits that every Cortex-M has, extended by an interrupt at each wrap.
 *
 * The interrupt costs a few instructions every 16.8 million ticks; prefer a wider timer where the
 * chip has one.
 */

#include "cortex_m.h"
#include "drivers.h"

#define RELOAD 0xFFFFFFu

void port_systick_interrupt(void);

static volatile uint32_t wraps;

void port_timer_init(void)
{
  SYSTICK_LOAD = RELOAD;
  SYSTICK_VALUE = 0;
  SYSTICK_CTRL = SYSTICK_CTRL_CORE_CLOCK | SYSTICK_CTRL_INTERRUPT | SYSTICK_CTRL_ENABLE;
}

void port_systick_interrupt(void) { wraps = wraps + 1; }

uint64_t port_ticks(void)
{
  uint32_t before;
  uint32_t value;
  uint32_t pending;
  do {
    before = wraps;
    value = SYSTICK_VALUE;
    pending = SCB_ICSR & SCB_ICSR_SYSTICK_PENDING;
  } while (before != wraps);
  uint32_t count = before;
  /* A wrap not yet counted, because interrupts are off: the counter is high again after it. */
  if (pending && value > RELOAD / 2u) {
    count++;
  }
  return ((uint64_t)count << 24) + (RELOAD - value);
}

uint32_t port_ticks_hz(void) { return PORT_TIMER_HZ; }
