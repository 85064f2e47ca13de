/* Stands in for the port's own restart_cortex_m.h on the host, which has no such register. */
#ifndef TINYML_RESTART_CORTEX_M_H
#define TINYML_RESTART_CORTEX_M_H

#include <esp_system.h>

#include "port.h"

PORT_NORETURN static inline void port_restart_core(void)
{
  esp_restart();
  for (;;) {
  }
}

#endif
