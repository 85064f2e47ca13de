/* STM32: the reset flags of RCC, through ST's HAL, whose names differ from family to family. */
#include <Arduino.h>

#include "drivers.h"
#include "restart_cortex_m.h"

static enum port_reset_reason reason = PORT_RESET_UNKNOWN;

/* Every reset pulls the pin too, and power-on counts as brown-out: the rarer reason wins. */
static enum port_reset_reason read_flags(void)
{
#ifdef RCC_FLAG_LPWRRST
  if (__HAL_RCC_GET_FLAG(RCC_FLAG_LPWRRST)) {
    return PORT_RESET_LOW_POWER;
  }
#endif
#ifdef RCC_FLAG_IWDGRST
  if (__HAL_RCC_GET_FLAG(RCC_FLAG_IWDGRST) || __HAL_RCC_GET_FLAG(RCC_FLAG_WWDGRST)) {
    return PORT_RESET_WATCHDOG;
  }
#endif
#ifdef RCC_FLAG_IWDG1RST
  if (__HAL_RCC_GET_FLAG(RCC_FLAG_IWDG1RST) || __HAL_RCC_GET_FLAG(RCC_FLAG_WWDG1RST)) {
    return PORT_RESET_WATCHDOG;
  }
#endif
  if (__HAL_RCC_GET_FLAG(RCC_FLAG_SFTRST)) {
    return PORT_RESET_SOFTWARE;
  }
#ifdef RCC_FLAG_PORRST
  if (__HAL_RCC_GET_FLAG(RCC_FLAG_PORRST)) {
    return PORT_RESET_POWER_ON;
  }
#endif
  if (__HAL_RCC_GET_FLAG(RCC_FLAG_BORRST)) {
    return PORT_RESET_BROWN_OUT;
  }
  return __HAL_RCC_GET_FLAG(RCC_FLAG_PINRST) ? PORT_RESET_PIN : PORT_RESET_UNKNOWN;
}

void port_chip_init(void)
{
  reason = read_flags();
  __HAL_RCC_CLEAR_RESET_FLAGS(); /* else they would outlive the next reset */
}

enum port_reset_reason port_reset_reason(void) { return reason; }

PORT_NORETURN void port_reset(void) { port_restart_core(); }
