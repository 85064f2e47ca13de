/* A chip that runs at its final clock from reset and does not tell why it was reset. */

#include "drivers.h"

void port_chip_init(void) {}

enum port_reset_reason port_reset_reason(void) { return PORT_RESET_UNKNOWN; }
