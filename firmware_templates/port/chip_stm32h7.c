/* STM32H742, H743 and their like: reset reason (reference manual RM0433, chapter 8).
 *
 * The chip stays at its reset clock, the internal 64 MHz oscillator, which feeds core, buses and
 * UARTs alike: no PLL and no supply has to be set up for it.
 */

#include "cortex_m.h"
#include "drivers.h"

#define RCC_RESET_STATUS (*port_register(0x580244D0u))

#define STATUS_CLEAR (1u << 16)
#define STATUS_BROWN_OUT (1u << 21)
#define STATUS_PIN (1u << 22)
#define STATUS_POWER_ON (1u << 23)
#define STATUS_SOFTWARE (1u << 24)
#define STATUS_WATCHDOGS ((1u << 26) | (1u << 28))
#define STATUS_LOW_POWER (1u << 30)

_Static_assert(PORT_CORE_HZ == 64000000u, "the chip stays at its reset clock");

static uint32_t status;

void port_chip_init(void)
{
  status = RCC_RESET_STATUS;
  RCC_RESET_STATUS |= STATUS_CLEAR;
}

/* Every reset pulls the pin too, and power-on counts as brown-out: the rarer reason wins. */
enum port_reset_reason port_reset_reason(void)
{
  if (status & STATUS_LOW_POWER) {
    return PORT_RESET_LOW_POWER;
  }
  if (status & STATUS_WATCHDOGS) {
    return PORT_RESET_WATCHDOG;
  }
  if (status & STATUS_SOFTWARE) {
    return PORT_RESET_SOFTWARE;
  }
  if (status & STATUS_POWER_ON) {
    return PORT_RESET_POWER_ON;
  }
  if (status & STATUS_BROWN_OUT) {
    return PORT_RESET_BROWN_OUT;
  }
  if (status & STATUS_PIN) {
    return PORT_RESET_PIN;
  }
  return PORT_RESET_UNKNOWN;
}
