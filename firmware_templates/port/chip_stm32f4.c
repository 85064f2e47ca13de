/* STM32F405, F407 and their like: 168 MHz from the internal oscillator, reset reason
 * (reference manual RM0090, chapters 3 and 7).
 *
 * Crystals differ from board to board, the internal 16 MHz oscillator is always there and within
 * 1 % at room temperature, which a UART tolerates.
 */

#include "cortex_m.h"
#include "drivers.h"

#define FLASH_ACCESS (*port_register(0x40023C00u))
#define RCC_CONTROL (*port_register(0x40023800u))
#define RCC_PLL (*port_register(0x40023804u))
#define RCC_CLOCKS (*port_register(0x40023808u))
#define RCC_STATUS (*port_register(0x40023874u))

#define FLASH_5_WAIT_STATES 5u
#define FLASH_PREFETCH_AND_CACHES (7u << 8)
#define PLL_ON (1u << 24)
#define PLL_READY (1u << 25)
/* 16 MHz / 16 * 336 / 2 = 168 MHz for the core; / 7 = 48 MHz for USB. */
#define PLL_168_MHZ ((7u << 24) | (0u << 16) | (336u << 6) | 16u)
#define APB1_QUARTER (5u << 10)
#define APB2_HALF (4u << 13)
#define CLOCK_FROM_PLL 2u
#define CLOCK_SOURCE_SHIFT 2u

#define STATUS_CLEAR (1u << 24)
#define STATUS_BROWN_OUT (1u << 25)
#define STATUS_PIN (1u << 26)
#define STATUS_POWER_ON (1u << 27)
#define STATUS_SOFTWARE (1u << 28)
#define STATUS_WATCHDOGS ((1u << 29) | (1u << 30))
#define STATUS_LOW_POWER (1u << 31)

/* The PLL locks within 300 us; an emulator without a clock unit never reports it. */
#define LOCK_LIMIT 10000u

_Static_assert(PORT_CORE_HZ == 168000000u, "the PLL is set for 168 MHz");

static uint32_t status;

static void use_pll(void)
{
  FLASH_ACCESS = FLASH_PREFETCH_AND_CACHES | FLASH_5_WAIT_STATES;
  RCC_PLL = PLL_168_MHZ;
  RCC_CONTROL |= PLL_ON;
  for (uint32_t i = 0; i < LOCK_LIMIT; i++) {
    if (RCC_CONTROL & PLL_READY) {
      RCC_CLOCKS = APB1_QUARTER | APB2_HALF | CLOCK_FROM_PLL;
      while ((RCC_CLOCKS >> CLOCK_SOURCE_SHIFT & 3u) != CLOCK_FROM_PLL) {
      }
      return;
    }
  }
}

void port_chip_init(void)
{
  status = RCC_STATUS;
  RCC_STATUS |= STATUS_CLEAR;
  use_pll();
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
