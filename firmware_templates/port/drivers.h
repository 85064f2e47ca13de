/* What the parts of the port ask of each other.  The application sees only port.h. */
#ifndef TINYML_PORT_DRIVERS_H
#define TINYML_PORT_DRIVERS_H

#include <stdint.h>

#include "port.h"
#include "port_config.h"

/* chip_<name>.c: clocks and power before anything else runs. */
void port_chip_init(void);

/* uart_<driver>.c */
void port_uart_init(void);
void port_uart_put(uint8_t byte); /* waits for room; works with interrupts off */
void port_uart_interrupt(void);   /* hands what arrived to port_receive_byte() */

/* receive.c */
size_t port_receive_room(void);
void port_receive_byte(uint8_t byte); /* from the interrupt handler, with room >= 1 */
void port_receive_hold(void);         /* from the interrupt handler, with no room left */
void port_receive_lost(void);         /* from the interrupt handler: the UART dropped bytes */

/* timer_<driver>.c */
void port_timer_init(void);

/* stack.c */
void port_stack_paint(void); /* from the reset handler, below its own stack pointer */
void port_stack_guard(void); /* makes the end of the stack a fault */

/* fault.c */
void port_fault_handler(void);

#endif
