/* CYCCNT of the Data Watchpoint and Trace unit (Armv7-M and Armv8-M manuals).
 *
 * It is only started, never set: some frameworks read it for their own clock. */
#ifndef TINYML_CYCLE_COUNTER_H
#define TINYML_CYCLE_COUNTER_H

#include <stdint.h>

static inline volatile uint32_t *port_register(uint32_t address)
{
  return reinterpret_cast<volatile uint32_t *>(address);
}

#define DWT_CONTROL (*port_register(0xE0001000u))
#define DWT_CYCLES (*port_register(0xE0001004u))
#define DWT_LOCK (*port_register(0xE0001FB0u))
#define DEBUG_CONTROL (*port_register(0xE000EDFCu))

/* False where the chip was built without the counter. */
static inline bool port_cycle_counter_start(void)
{
  const uint32_t TRACE_ENABLE = 1u << 24;
  const uint32_t NO_COUNTER = 1u << 25;
  const uint32_t UNLOCK = 0xC5ACCE55u; /* a Cortex-M7 may have it locked */
  DEBUG_CONTROL = DEBUG_CONTROL | TRACE_ENABLE;
  DWT_LOCK = UNLOCK;
  if ((DWT_CONTROL & NO_COUNTER) != 0) {
    return false;
  }
  DWT_CONTROL = DWT_CONTROL | 1u;
  return true;
}

static inline uint32_t port_cycle_counter(void) { return DWT_CYCLES; }

#endif
