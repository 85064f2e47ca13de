/* USART of ST's STM32H7 family (reference manual RM0433, chapters 8, 11 and 48). */

#include "cortex_m.h"
#include "drivers.h"

#define UART_CONTROL (*port_register(PORT_UART_BASE + 0x00u))
#define UART_BAUD (*port_register(PORT_UART_BASE + 0x0Cu))
#define UART_STATUS (*port_register(PORT_UART_BASE + 0x1Cu))
#define UART_CLEAR (*port_register(PORT_UART_BASE + 0x20u))
#define UART_RECEIVE (*port_register(PORT_UART_BASE + 0x24u))
#define UART_SEND (*port_register(PORT_UART_BASE + 0x28u))

#define STATUS_OVERRUN (1u << 3)
#define STATUS_RECEIVED (1u << 5)
#define STATUS_SEND_EMPTY (1u << 7)
#define CONTROL_ENABLE ((1u << 0) | (1u << 2) | (1u << 3)) /* UART, receiver, sender */
#define CONTROL_RECEIVE_INTERRUPT (1u << 5)

#define RCC_AHB4_ENABLE (*port_register(0x580244E0u))
#define RCC_APB1_ENABLE (*port_register(0x580244E8u))
#define RCC_APB2_ENABLE (*port_register(0x580244F0u))

#define USART1_BASE 0x40011000u
#define USART2_BASE 0x40004400u
#define USART3_BASE 0x40004800u
#define PIN_FUNCTION 7u
#define PIN_MODE_ALTERNATE 2u
#define PIN_PULL_UP 1u

_Static_assert(PORT_UART_BASE == USART1_BASE || PORT_UART_BASE == USART2_BASE ||
                   PORT_UART_BASE == USART3_BASE,
               "only USART1, 2 and 3 are known here");

static void enable_clock(void)
{
  switch (PORT_UART_BASE) {
  case USART1_BASE:
    RCC_APB2_ENABLE |= 1u << 4;
    break;
  case USART2_BASE:
    RCC_APB1_ENABLE |= 1u << 17;
    break;
  default:
    RCC_APB1_ENABLE |= 1u << 18;
    break;
  }
  port_barrier(); /* a peripheral may be used two cycles after its clock is on */
}

/* Pins are numbered 16 * port + pin: PD8 is 56. */
static void connect_pin(uint32_t number)
{
  uint32_t port = number / 16u;
  uint32_t pin = number % 16u;
  uint32_t base = 0x58020000u + 0x400u * port;
  volatile uint32_t *mode = port_register(base + 0x00u);
  volatile uint32_t *pull = port_register(base + 0x0Cu);
  volatile uint32_t *function = port_register(base + 0x20u + 4u * (pin / 8u));
  RCC_AHB4_ENABLE |= 1u << port;
  port_barrier();
  *function = (*function & ~(0xFu << (4u * (pin % 8u)))) | (PIN_FUNCTION << (4u * (pin % 8u)));
  *pull = (*pull & ~(3u << (2u * pin))) | (PIN_PULL_UP << (2u * pin));
  *mode = (*mode & ~(3u << (2u * pin))) | (PIN_MODE_ALTERNATE << (2u * pin));
}

void port_uart_init(void)
{
  enable_clock();
  connect_pin(PORT_UART_TX_PIN);
  connect_pin(PORT_UART_RX_PIN);
  UART_BAUD = (PORT_UART_CLOCK_HZ + PORT_UART_BAUD / 2u) / PORT_UART_BAUD;
  UART_CONTROL = CONTROL_ENABLE | CONTROL_RECEIVE_INTERRUPT;
}

void port_uart_put(uint8_t byte)
{
  while ((UART_STATUS & STATUS_SEND_EMPTY) == 0) {
  }
  UART_SEND = byte;
}

void port_uart_interrupt(void)
{
  uint32_t status = UART_STATUS;
  while (status & (STATUS_RECEIVED | STATUS_OVERRUN)) {
    if (port_receive_room() == 0) {
      port_receive_hold();
      return;
    }
    if (status & STATUS_OVERRUN) {
      UART_CLEAR = STATUS_OVERRUN; /* the byte in the register is the one before those lost */
      port_receive_lost();
    }
    if (status & STATUS_RECEIVED) {
      port_receive_byte((uint8_t)UART_RECEIVE);
    }
    status = UART_STATUS;
  }
}
