/* The ways out of the program. */

#include "cortex_m.h"
#include "drivers.h"
#if TINYML_SEMIHOSTING
#include "semihosting.h"
#endif

PORT_NORETURN void port_exit(int status)
{
#if TINYML_SEMIHOSTING
  port_semihosting_exit(status);
#else
  (void)status;
#endif
  port_interrupts_off();
  for (;;) {
    port_wait_for_interrupt();
  }
}

PORT_NORETURN void port_reset(void)
{
  port_barrier();
  SCB_AIRCR = SCB_AIRCR_RESET;
  port_barrier();
  for (;;) {
  }
}
