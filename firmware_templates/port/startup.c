/* Reset: from the first instruction to main(). */

#include <stdint.h>

#include "cortex_m.h"
#include "drivers.h"

#define PORT_VECTORS (16 + PORT_UART_IRQ + 1)

typedef void (*port_handler)(void);
union port_vector {
  uint32_t *stack_top;
  port_handler handler;
};

extern uint32_t port_stack_top[];
extern uint32_t port_data_start[];
extern uint32_t port_data_end[];
extern const uint32_t port_data_load[];
extern uint32_t port_bss_start[];
extern uint32_t port_bss_end[];
extern const port_handler port_constructors_start[];
extern const port_handler port_constructors_end[];

int main(void);
PORT_NORETURN void port_reset_handler(void);

/* Defined only where the timer driver is SysTick. */
__attribute__((weak)) void port_systick_interrupt(void);

/* Interrupts without an entry are never enabled by the port.  Aligned for up to 240 of them. */
static const union port_vector port_vectors[PORT_VECTORS]
    __attribute__((section(".vectors"), used, aligned(1024))) = {
        [0] = {.stack_top = port_stack_top},
        [1] = {.handler = port_reset_handler},
        [2] = {.handler = port_fault_handler},  /* NMI */
        [3] = {.handler = port_fault_handler},  /* HardFault */
        [4] = {.handler = port_fault_handler},  /* MemManage */
        [5] = {.handler = port_fault_handler},  /* BusFault */
        [6] = {.handler = port_fault_handler},  /* UsageFault */
        [7] = {.handler = port_fault_handler},  /* SecureFault */
        [11] = {.handler = port_fault_handler}, /* SVCall */
        [12] = {.handler = port_fault_handler}, /* DebugMonitor */
        [14] = {.handler = port_fault_handler}, /* PendSV */
        [15] = {.handler = port_systick_interrupt},
        [16 + PORT_UART_IRQ] = {.handler = port_uart_interrupt},
};

/* Not inlined: the compiler may use floating-point or vector registers in here, and the caller
 * has just switched them on. */
__attribute__((noinline)) PORT_NORETURN static void start_program(void)
{
  const uint32_t *from = port_data_load;
  for (uint32_t *to = port_data_start; to < port_data_end; to++) {
    *to = *from++;
  }
  for (uint32_t *to = port_bss_start; to < port_bss_end; to++) {
    *to = 0;
  }
  port_init();
  for (const port_handler *constructor = port_constructors_start;
       constructor < port_constructors_end; constructor++) {
    (*constructor)();
  }
  port_exit(main());
}

PORT_NORETURN void port_reset_handler(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  SCB_CPACR |= SCB_CPACR_FPU;
  port_barrier();
#endif
#if !defined(__ARM_ARCH_6M__)
  SCB_VTOR = (uint32_t)port_vectors;
#endif
  port_stack_paint();
  port_stack_guard();
  start_program();
}

void port_init(void)
{
  port_chip_init();
  port_timer_init();
  port_uart_init();
  port_nvic_enable(PORT_UART_IRQ);
  port_interrupts_on();
}
