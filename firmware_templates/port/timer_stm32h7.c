/* TIM2 or TIM5 of ST's STM32H7 family: 32 bits (reference manual RM0433, chapters 8 and 41).
 *
 * At the reset clock the timers run at the core's 64 MHz; halved, a wrap takes two minutes.
 */

#include "cortex_m.h"
#include "drivers.h"

#define TIMER_CONTROL (*port_register(PORT_TIMER_BASE + 0x00u))
#define TIMER_EVENT (*port_register(PORT_TIMER_BASE + 0x14u))
#define TIMER_COUNTER (*port_register(PORT_TIMER_BASE + 0x24u))
#define TIMER_PRESCALER (*port_register(PORT_TIMER_BASE + 0x28u))
#define RCC_APB1_ENABLE (*port_register(0x580244E8u))

#define PRESCALER 2u
#define TIM2_BASE 0x40000000u
#define TIM5_BASE 0x40000C00u

_Static_assert(PORT_TIMER_BASE == TIM2_BASE || PORT_TIMER_BASE == TIM5_BASE,
               "only TIM2 and TIM5 have 32 bits");
_Static_assert(PORT_TIMER_HZ == PORT_CORE_HZ / PRESCALER, "no other clock feeds the timer");

static uint32_t last;
static uint32_t wraps;

void port_timer_init(void)
{
  RCC_APB1_ENABLE |= PORT_TIMER_BASE == TIM2_BASE ? 1u << 0 : 1u << 3;
  port_barrier(); /* a peripheral may be used two cycles after its clock is on */
  TIMER_PRESCALER = PRESCALER - 1u;
  TIMER_EVENT = 1; /* loads the prescaler */
  TIMER_CONTROL = 1;
}

uint64_t port_ticks(void)
{
  uint32_t counter = TIMER_COUNTER;
  wraps += counter < last;
  last = counter;
  return ((uint64_t)wraps << 32) | counter;
}

uint32_t port_ticks_hz(void) { return PORT_TIMER_HZ; }
