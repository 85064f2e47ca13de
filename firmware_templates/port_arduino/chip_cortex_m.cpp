/* A Cortex-M chip whose framework does not tell why it was reset. */
#include "drivers.h"
#include "restart_cortex_m.h"

void port_chip_init(void) {}

enum port_reset_reason port_reset_reason(void) { return PORT_RESET_UNKNOWN; }

PORT_NORETURN void port_reset(void) { port_restart_core(); }
