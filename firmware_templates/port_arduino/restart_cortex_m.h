/* The system reset request that every Cortex-M core has. */
#ifndef TINYML_RESTART_CORTEX_M_H
#define TINYML_RESTART_CORTEX_M_H

#include <Arduino.h>

#include "port.h"

PORT_NORETURN static inline void port_restart_core(void)
{
  delay(50); /* the last answer is still on its way */
  __asm volatile("dsb" ::: "memory");
  *reinterpret_cast<volatile uint32_t *>(0xE000ED0Cu) = 0x05FA0004u;
  for (;;) {
  }
}

#endif
