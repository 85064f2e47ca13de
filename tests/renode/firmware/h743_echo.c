/* Sends back what comes over USART3 of an STM32H743: all there is of firmware for it so far. */

#include <stdint.h>

#define USART3(offset) (*(volatile uint32_t *)(0x40004800u + (offset)))
#define CONTROL USART3(0x00u)
#define BAUD USART3(0x0Cu)
#define STATUS USART3(0x1Cu)
#define RECEIVED USART3(0x24u)
#define SEND USART3(0x28u)

#define ENABLE ((1u << 0) | (1u << 2) | (1u << 3)) /* UART, receiver, sender */
#define STATUS_RECEIVED (1u << 5)
#define STATUS_SEND_EMPTY (1u << 7)
#define STACK_TOP 0x20020000u /* of the DTCM */

static volatile uint32_t greetings = 2; /* in RAM, which the loader fills as it is not read-only */

static void send(uint32_t byte)
{
  while ((STATUS & STATUS_SEND_EMPTY) == 0) {
  }
  SEND = byte;
}

void start(void)
{
  BAUD = 1041; /* 115,200 at 120 MHz */
  CONTROL = ENABLE;
  for (greetings = 2; greetings > 0; greetings--) {
    send('!');
  }
  for (;;) {
    if (STATUS & STATUS_RECEIVED) {
      send(RECEIVED);
    }
  }
}

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[] = {STACK_TOP,
                                                                               (uintptr_t)start};
