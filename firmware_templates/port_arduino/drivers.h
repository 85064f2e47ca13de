/* What the parts of the port ask of each other.  The application sees only port.h. */
#ifndef TINYML_PORT_DRIVERS_H
#define TINYML_PORT_DRIVERS_H

#include "port.h"
#include "port_config.h"

/* chip_<name>.cpp: remembers why the chip was reset. */
void port_chip_init(void);

/* timer.cpp */
void port_timer_init(void);

#endif
