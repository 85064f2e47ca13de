/* ESP32 and its like: ESP-IDF tells why the chip was reset, and restarts it. */
#include <Arduino.h>
#include <esp_system.h>

#include "drivers.h"

void port_chip_init(void) {}

enum port_reset_reason port_reset_reason(void)
{
  switch (esp_reset_reason()) {
  case ESP_RST_POWERON: /* the reset button counts as this, too */
    return PORT_RESET_POWER_ON;
  case ESP_RST_EXT:
    return PORT_RESET_PIN;
  case ESP_RST_SW:
  case ESP_RST_PANIC: /* the handler of a fault restarts the chip */
    return PORT_RESET_SOFTWARE;
  case ESP_RST_INT_WDT:
  case ESP_RST_TASK_WDT:
  case ESP_RST_WDT:
    return PORT_RESET_WATCHDOG;
  case ESP_RST_BROWNOUT:
    return PORT_RESET_BROWN_OUT;
  case ESP_RST_DEEPSLEEP:
    return PORT_RESET_LOW_POWER;
  default:
    return PORT_RESET_UNKNOWN;
  }
}

PORT_NORETURN void port_reset(void)
{
  delay(50); /* the last answer is still on its way */
  esp_restart();
  for (;;) {
  }
}
