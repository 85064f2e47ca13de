/* Counter of the MPS2 and MPS3 boards' FPGA (Arm application notes AN385, AN505, AN547).
 *
 * It needs no interrupt: the block's 100 Hz counter tells how often the 32-bit one has wrapped.
 */

#include "cortex_m.h"
#include "drivers.h"

#define FPGAIO_100HZ (*port_register(PORT_TIMER_BASE - 0x04u))
#define FPGAIO_COUNTER (*port_register(PORT_TIMER_BASE))

void port_timer_init(void) {}

uint64_t port_ticks(void)
{
  uint32_t counter = FPGAIO_COUNTER;
  uint64_t about = (uint64_t)FPGAIO_100HZ * (PORT_TIMER_HZ / 100u);
  /* `about` is at most a hundredth of a second off, a wrap takes minutes: rounding is safe. */
  uint64_t wraps = (about + (1ull << 31) - counter) >> 32;
  return (wraps << 32) | counter;
}

uint32_t port_ticks_hz(void) { return PORT_TIMER_HZ; }
