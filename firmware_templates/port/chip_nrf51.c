/* Nordic nRF51: crystal oscillator, reset reason (nRF51 Reference Manual 3.0, chapters 12, 13). */

#include "cortex_m.h"
#include "drivers.h"

#define CLOCK_TASK_START (*port_register(0x40000000u))
#define CLOCK_EVENT_STARTED (*port_register(0x40000100u))
#define POWER_RESET_REASON (*port_register(0x40000400u))

#define REASON_PIN (1u << 0)
#define REASON_WATCHDOG (1u << 1)
#define REASON_SOFTWARE (1u << 2)
#define REASON_LOCKUP (1u << 3)
#define REASON_WAKE_UP ((1u << 16) | (1u << 17) | (1u << 18))

/* The crystal starts in about a millisecond; without it the internal oscillator goes on. */
#define START_LIMIT 100000u

static uint32_t reasons;

void port_chip_init(void)
{
  reasons = POWER_RESET_REASON;
  POWER_RESET_REASON = reasons; /* bits add up over resets until they are cleared by writing 1 */
  CLOCK_TASK_START = 1;
  for (uint32_t i = 0; i < START_LIMIT && CLOCK_EVENT_STARTED == 0; i++) {
  }
}

enum port_reset_reason port_reset_reason(void)
{
  if (reasons & REASON_LOCKUP) {
    return PORT_RESET_LOCKUP;
  }
  if (reasons & REASON_WATCHDOG) {
    return PORT_RESET_WATCHDOG;
  }
  if (reasons & REASON_SOFTWARE) {
    return PORT_RESET_SOFTWARE;
  }
  if (reasons & REASON_WAKE_UP) {
    return PORT_RESET_LOW_POWER;
  }
  if (reasons & REASON_PIN) {
    return PORT_RESET_PIN;
  }
  return PORT_RESET_POWER_ON; /* power-on and brown-out set no bit */
}
