/*
 * The smallest program around the model: reset, initialisation, one inference, the end. No serial
 * port, no clock, no commands; its size is what the model costs. src/main.c is the real program.
 */
#include <stdint.h>

#include "model.h"

typedef void (*handler)(void);

/* From the linker script. */
extern uint32_t port_stack_top[];
extern uint32_t port_data_start[];
extern uint32_t port_data_end[];
extern const uint32_t port_data_load[];
extern uint32_t port_bss_start[];
extern uint32_t port_bss_end[];

_Noreturn void port_reset_handler(void);
int main(void);

/* The first words of flash: stack pointer, reset, NMI, HardFault. */
static _Noreturn void stop(void)
{
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) static const struct {
  uint32_t *stack;
  handler handlers[3];
} vectors = {.stack = port_stack_top, .handlers = {port_reset_handler, stop, stop}};

/* Not inlined: it may use registers that the reset handler has just switched on. */
__attribute__((noinline, noreturn)) static void start(void)
{
  const uint32_t *from = port_data_load;
  for (uint32_t *to = port_data_start; to < port_data_end; to++) {
    *to = *from++;
  }
  for (uint32_t *to = port_bss_start; to < port_bss_end; to++) {
    *to = 0;
  }
  main();
  stop();
}

_Noreturn void port_reset_handler(void)
{
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  volatile uint32_t *const cpacr = (volatile uint32_t *)0xE000ED88u;
  *cpacr |= 0xFu << 20; /* access to the floating-point and vector registers */
  __asm__ volatile("dsb\n\tisb" ::: "memory");
#endif
  start();
}

int main(void)
{
  if (model_init() != 0) {
    return 1;
  }
  return model_invoke();
}
