/* nRF52: POWER.RESETREAS tells why the chip was reset (nRF52840 product specification, POWER).
 *
 * No bit at all means power-on, but also that a bootloader has cleared them: unknown. */
#include <Arduino.h>

#include "drivers.h"
#include "restart_cortex_m.h"

static uint32_t reasons;

void port_chip_init(void)
{
#ifdef ARDUINO_NRF52_ADAFRUIT
  reasons = readResetReason(); /* the framework has read and cleared the register */
#else
  volatile uint32_t *const resetreas = reinterpret_cast<volatile uint32_t *>(0x40000400u);
  reasons = *resetreas;
  *resetreas = reasons; /* a bit is cleared by writing it; else it would outlive the next reset */
#endif
}

enum port_reset_reason port_reset_reason(void)
{
  const uint32_t PIN = 1u << 0;
  const uint32_t WATCHDOG = 1u << 1;
  const uint32_t SOFTWARE = 1u << 2;
  const uint32_t LOCKUP = 1u << 3;
  const uint32_t SYSTEM_OFF = 1u << 16;
  if ((reasons & LOCKUP) != 0) {
    return PORT_RESET_LOCKUP;
  }
  if ((reasons & WATCHDOG) != 0) {
    return PORT_RESET_WATCHDOG;
  }
  if ((reasons & SOFTWARE) != 0) {
    return PORT_RESET_SOFTWARE;
  }
  if ((reasons & SYSTEM_OFF) != 0) {
    return PORT_RESET_LOW_POWER;
  }
  return (reasons & PIN) != 0 ? PORT_RESET_PIN : PORT_RESET_UNKNOWN;
}

PORT_NORETURN void port_reset(void) { port_restart_core(); }
