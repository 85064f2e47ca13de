/* The stack: how much of it was used, and a fault instead of silence at its end. */

#include "cortex_m.h"
#include "drivers.h"

#define PAINT 0xC0DEFACEu

extern uint32_t port_stack_limit[];
extern uint32_t port_stack_top[];

void port_stack_paint(void)
{
  uintptr_t stack_pointer;
  __asm volatile("mov %0, sp" : "=r"(stack_pointer));
  volatile uint32_t *word = port_stack_limit;
  while ((uintptr_t)word < stack_pointer) {
    *word++ = PAINT;
  }
}

size_t port_stack_bytes(void) { return (uintptr_t)port_stack_top - (uintptr_t)port_stack_limit; }

size_t port_stack_high_water(void)
{
  const volatile uint32_t *word = port_stack_limit;
  while (word < port_stack_top && *word == PAINT) {
    word++;
  }
  return (uintptr_t)port_stack_top - (uintptr_t)word;
}

#if PORT_HAS_STACK_LIMIT

void port_stack_guard(void) { __asm volatile("msr msplim, %0" ::"r"(port_stack_limit)); }

#elif PORT_HAS_V7_MPU

/* A region that nobody may touch, just below the RAM: it costs no RAM, and its size catches a
 * large frame that would jump over a smaller one. */
#define GUARD_BYTES 0x8000u
#define GUARD_REGION_SIZE 14u /* 2^(14 + 1) bytes */
#define REGION_ENABLE 1u
#define REGION_NEVER_EXECUTE (1u << 28)
#define REGION_ADDRESS_HAS_NUMBER (1u << 4)

void port_stack_guard(void)
{
  if ((MPU_TYPE >> 8 & 0xFFu) == 0) {
    return; /* this part was built without an MPU */
  }
  MPU_RBAR = ((uint32_t)port_stack_limit - GUARD_BYTES) | REGION_ADDRESS_HAS_NUMBER;
  MPU_RASR = REGION_NEVER_EXECUTE | (GUARD_REGION_SIZE << 1) | REGION_ENABLE;
  MPU_CTRL = MPU_CTRL_DEFAULT_MAP | MPU_CTRL_ENABLE;
  port_barrier();
}

#else

/* No hardware guard: below the stack there is no memory, which is a HardFault. */
void port_stack_guard(void) {}

#endif
