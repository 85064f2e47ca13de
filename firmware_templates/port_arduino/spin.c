/* A loop of known length, the yardstick for counting instructions. */

#include "port.h"

_Static_assert(PORT_SPIN_INSTRUCTIONS == 2, "port_spin() has two instructions in its loop");

/* In assembly, so that neither the compiler nor its options can change the count. */
__attribute__((noinline)) void port_spin(uint32_t loops)
{
  if (loops == 0) {
    return;
  }
#if defined(__arm__)
  __asm volatile(".syntax unified\n"
                 "1: subs %0, %0, #1\n"
                 "   bne 1b\n"
                 : "+l"(loops)
                 :
                 : "cc");
#elif defined(__riscv) || defined(__XTENSA__)
  __asm volatile("1: addi %0, %0, -1\n"
                 "   bnez %0, 1b\n"
                 : "+r"(loops));
#else
  while (loops-- > 0) {
    __asm volatile(""); /* no such core: the count is not exact */
  }
#endif
}
