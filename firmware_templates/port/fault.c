/* Faults: one line on the UART that a program can read, then the end of the program.
 *
 *   !fault kind=bus exception=0x00000003 cfsr=0x00008200 ... pc=0x... sp=0x... calls=0x...,0x...
 *
 * pc and lr are 0 where the core could not save them.  `calls` are words found on the stack that
 * may be return addresses, the innermost first.
 */

#include "cortex_m.h"
#include "drivers.h"
#if TINYML_SEMIHOSTING
#include "semihosting.h"
#endif

#define FAULT_STACK_BYTES 512
#define GUARD_BYTES 0x8000u
#define CALLS_MAX 8
#define OTHER_STACK_SCAN_BYTES 2048u

#define RETURN_TO_PROCESS_STACK (1u << 2)
#define RETURN_BASIC_FRAME (1u << 4)
#define BASIC_FRAME_BYTES 32u
#define EXTENDED_FRAME_BYTES 104u

#define FRAME_LR 5
#define FRAME_PC 6
#define FRAME_PSR 7

extern uint32_t port_stack_limit[];
extern uint32_t port_stack_top[];
extern uint32_t port_ram_start[];
extern uint32_t port_ram_end[];
extern const uint8_t port_text_start[];
extern const uint8_t port_text_end[];

PORT_NORETURN void port_fault_report(uint32_t main_stack, uint32_t exception_return);

/* The stack in use may be the very thing that broke: the handler has its own. */
__attribute__((section(".noinit"), used, aligned(8))) uint8_t port_fault_stack[FAULT_STACK_BYTES];

_Static_assert(FAULT_STACK_BYTES == 512, "the assembly below has the number too");

__attribute__((naked)) void port_fault_handler(void)
{
  __asm volatile(".syntax unified\n"
#if PORT_HAS_STACK_LIMIT
                 "movs r2, #0\n"
                 "msr msplim, r2\n"
#endif
                 "mrs r0, msp\n"
                 "mov r1, lr\n"
                 "ldr r2, =port_fault_stack + 512\n"
                 "mov sp, r2\n"
                 "bl port_fault_report\n"
                 ".ltorg\n");
}

static void put_text(const char *text)
{
  while (*text != '\0') {
    port_uart_put((uint8_t)*text++);
  }
}

static void put_hex(uint32_t value)
{
  put_text("0x");
  for (int shift = 28; shift >= 0; shift -= 4) {
    port_uart_put((uint8_t) "0123456789abcdef"[value >> shift & 0xFu]);
  }
}

static void put_field(const char *name, uint32_t value)
{
  port_uart_put(' ');
  put_text(name);
  port_uart_put('=');
  put_hex(value);
}

/* Faults are not enabled one by one, so every one arrives here as a HardFault: it can interrupt
 * any other handler.  The status register keeps what it was. */
static const char *kind_of(uint32_t exception)
{
  if (exception == 2) {
    return "nmi";
  }
  if (exception != 3) {
    return "unexpected";
  }
#if PORT_HAS_SECURE_FAULT
  if (SCB_SFSR != 0) {
    return "secure";
  }
#endif
#if PORT_HAS_FAULT_STATUS
  uint32_t cfsr = SCB_CFSR;
  if (cfsr & SCB_CFSR_MEMORY) {
    return "memory";
  }
  if (cfsr & SCB_CFSR_BUS) {
    return "bus";
  }
  if (cfsr & SCB_CFSR_USAGE) {
    return "usage";
  }
#endif
  return "hard";
}

static int in_ram(uint32_t address, uint32_t bytes)
{
  return address % 4u == 0 && address >= (uint32_t)port_ram_start &&
         address <= (uint32_t)port_ram_end - bytes;
}

#if PORT_HAS_FAULT_STATUS
static int in_guard(uint32_t address)
{
  return (uint32_t)port_stack_limit - address <= GUARD_BYTES &&
         address != (uint32_t)port_stack_limit;
}
#endif

static int stack_has_overflowed(uint32_t stack)
{
#if PORT_HAS_FAULT_STATUS
  uint32_t cfsr = SCB_CFSR;
  if (cfsr & (SCB_CFSR_STACK_LIMIT | SCB_CFSR_MEMORY_STACKING | SCB_CFSR_BUS_STACKING)) {
    return 1;
  }
  if ((cfsr & SCB_CFSR_MEMORY_ADDRESS_VALID) && in_guard(SCB_MMFAR)) {
    return 1;
  }
  if ((cfsr & SCB_CFSR_BUS_ADDRESS_VALID) && in_guard(SCB_BFAR)) {
    return 1;
  }
#endif
  return stack < (uint32_t)port_stack_limit;
}

static void put_status(void)
{
#if PORT_HAS_FAULT_STATUS
  uint32_t mmfar = SCB_MMFAR; /* read before the status, which tells whether they are valid */
  uint32_t bfar = SCB_BFAR;
  put_field("cfsr", SCB_CFSR);
  put_field("hfsr", SCB_HFSR);
  put_field("mmfar", mmfar);
  put_field("bfar", bfar);
#endif
#if PORT_HAS_SECURE_FAULT
  put_field("sfsr", SCB_SFSR);
  put_field("sfar", SCB_SFAR);
#endif
}

static void put_calls(uint32_t address)
{
  uint32_t top = (uint32_t)port_stack_top;
  uint32_t end = address < top ? top : address + OTHER_STACK_SCAN_BYTES;
  char separator = '=';
  int found = 0;
  put_text(" calls");
  for (; address < end && found < CALLS_MAX && in_ram(address, 4); address += 4) {
    uint32_t word = *(const volatile uint32_t *)address;
    if ((word & 1u) && word > (uint32_t)port_text_start && word < (uint32_t)port_text_end) {
      port_uart_put((uint8_t)separator);
      put_hex(word);
      separator = ',';
      found++;
    }
  }
  if (found == 0) {
    port_uart_put((uint8_t)separator);
  }
}

PORT_NORETURN static void end_program(void)
{
#if TINYML_SEMIHOSTING
  port_semihosting_exit(PORT_EXIT_FAULT);
#endif
  port_spin(PORT_CORE_HZ / 100u); /* lets the UART send its last bytes */
  port_reset();
}

PORT_NORETURN void port_fault_report(uint32_t main_stack, uint32_t exception_return)
{
  uint32_t exception;
  uint32_t stack = main_stack;
  __asm volatile("mrs %0, ipsr" : "=r"(exception));
  if (exception_return & RETURN_TO_PROCESS_STACK) {
    __asm volatile("mrs %0, psp" : "=r"(stack));
  }
  uint32_t limit = (uint32_t)port_stack_limit;
  int overflow = stack_has_overflowed(stack);
  int frame_is_valid = !overflow && in_ram(stack, BASIC_FRAME_BYTES);

  port_uart_init(); /* the fault may have come before, or within, its initialisation */
  put_text("\r\n!fault kind=");
  put_text(overflow ? "stack-overflow" : kind_of(exception));
  put_field("exception", exception);
  put_status();
  const volatile uint32_t *frame = (const volatile uint32_t *)stack;
  put_field("pc", frame_is_valid ? frame[FRAME_PC] : 0);
  put_field("lr", frame_is_valid ? frame[FRAME_LR] : 0);
  put_field("psr", frame_is_valid ? frame[FRAME_PSR] : 0);
  put_field("sp", stack);
  put_field("stack", (uint32_t)port_stack_bytes());
  if (overflow) {
    put_calls(stack < limit ? limit : stack);
  } else {
    put_calls(stack +
              (exception_return & RETURN_BASIC_FRAME ? BASIC_FRAME_BYTES : EXTENDED_FRAME_BYTES));
  }
  put_text("\r\n");
  end_program();
}
