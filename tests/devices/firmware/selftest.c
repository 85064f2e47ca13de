/* One firmware, many scenarios: the emulator's argument says which one to play. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "port.h"

#define COPY_BYTES 64

static uint32_t initialised[3] = {0x11111111u, 0x22222222u, 0x33333333u};
static uint32_t zeroed[64];
static volatile float float_factor = 1.5f;
static volatile double double_factor = 2.25;
static int constructed;

__attribute__((constructor)) static void construct(void)
{
  constructed = 41 + (initialised[0] != 0);
}

static void put_text(const char *text) { port_write((const uint8_t *)text, strlen(text)); }

static void put_number(const char *name, uint64_t value)
{
  char digits[24];
  size_t at = sizeof digits - 1;
  digits[at] = '\0';
  do {
    digits[--at] = (char)('0' + value % 10u);
    value /= 10u;
  } while (value != 0);
  put_text(name);
  put_text("=");
  put_text(&digits[at]);
  put_text("\n");
}

static uint8_t next_byte(void)
{
  int byte = port_read();
  while (byte < 0) {
    port_wait();
    byte = port_read();
  }
  return (uint8_t)byte;
}

static uint32_t next_number(void)
{
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) {
    value = value << 8 | next_byte();
  }
  return value;
}

static void boot(void)
{
  uint32_t sum = 0;
  for (size_t i = 0; i < sizeof zeroed / sizeof zeroed[0]; i++) {
    sum |= zeroed[i];
  }
  put_number("data", initialised[0] + initialised[1] + initialised[2]);
  put_number("bss", sum);
  put_number("constructed", (uint64_t)constructed);
  put_number("float", (uint64_t)(float_factor * 1000.0f));
  put_number("double", (uint64_t)(double_factor * 1000.0));
  put_number("reset", (uint64_t)port_reset_reason());
  put_number("stack", port_stack_bytes());
  put_number("overruns", port_receive_overruns());
}

/* Reads a length, then so many bytes, and sends each back at once. */
static void echo(void)
{
  uint32_t left = next_number();
  while (left > 0) {
    uint8_t byte = next_byte();
    port_write(&byte, 1);
    left--;
  }
  put_number("overruns", port_receive_overruns());
}

/* Reads a length, sleeps long enough for the ring to overflow many times, then adds up. */
static void late(void)
{
  uint32_t left = next_number();
  port_spin(2000000);
  uint32_t sum = 0;
  while (left > 0) {
    sum = sum * 31u + next_byte();
    left--;
  }
  put_number("sum", sum);
  put_number("overruns", port_receive_overruns());
}

static uint64_t time_of(uint32_t loops)
{
  uint64_t start = port_ticks();
  port_spin(loops);
  return port_ticks() - start;
}

static void ticks(void)
{
  static const uint32_t loops[] = {0, 1, 2, 3, 1000, 2000, 1001000};
  time_of(1);
  for (size_t i = 0; i < sizeof loops / sizeof loops[0]; i++) {
    put_number("ticks", time_of(loops[i]));
  }
  put_number("hz", port_ticks_hz());
}

/* A wait must end when a byte comes, and time must not run on in between by itself. */
static void sleep_until_byte(void)
{
  put_text("asleep\n");
  uint32_t waits = 0;
  while (port_read() < 0) {
    port_wait();
    waits++;
  }
  put_number("waits", waits);
}

static void copy_file(void)
{
  uint8_t buffer[COPY_BYTES];
  int from = port_file_open("input.bin", PORT_FILE_READ);
  int to = port_file_open("output.bin", PORT_FILE_WRITE);
  if (from < 0 || to < 0) {
    port_exit(3);
  }
  put_number("bytes", (uint64_t)port_file_bytes(from));
  size_t bytes;
  while ((bytes = port_file_read(from, buffer, sizeof buffer)) > 0) {
    if (port_file_write(to, buffer, bytes) != bytes) {
      port_exit(4);
    }
  }
  put_number("closed", (uint64_t)(port_file_close(from) == 0 && port_file_close(to) == 0));
  put_number("missing", (uint64_t)(port_file_open("missing.bin", PORT_FILE_READ) < 0));
}

__attribute__((noinline)) static uint32_t use_stack(void)
{
  volatile uint8_t block[600];
  for (size_t i = 0; i < sizeof block; i++) {
    block[i] = (uint8_t)i;
  }
  return block[599];
}

static void high_water(void)
{
  put_number("before", port_stack_high_water());
  put_number("used", use_stack());
  put_number("after", port_stack_high_water());
}

static volatile uint32_t depth_limit = 0xFFFFFFFFu;

__attribute__((noinline)) static uint32_t descend(uint32_t depth)
{
  volatile uint32_t here[4] = {depth, depth, depth, depth};
  if (depth == depth_limit) {
    return 0;
  }
  return descend(depth + 1) + here[depth % 4u];
}

/* A frame far larger than the stack, touched at its far end only. */
__attribute__((noinline)) static uint32_t leap(void)
{
  volatile uint8_t block[24 * 1024];
  block[0] = 1;
  return block[0];
}

__attribute__((noinline)) static void read_nowhere(void)
{
  volatile uint32_t *nowhere = (volatile uint32_t *)0x2FADBEECu;
  put_number("value", *nowhere);
}

__attribute__((noinline)) static void execute_nonsense(void) { __asm volatile("udf #7"); }

static void (*volatile nobody)(void);

__attribute__((noinline)) static void call_nobody(void)
{
  nobody();
  put_text("back\n");
}

/* A fault while the stack pointer is good, from inside the interrupt handler's priority. */
__attribute__((noinline)) static void fault_with_interrupts_off(void)
{
  __asm volatile("cpsid i");
  read_nowhere();
}

static void clock_going(void)
{
  uint64_t before = port_ticks();
  for (int i = 0; i < 1000; i++) {
    uint64_t now = port_ticks();
    if (now < before) {
      put_text("backwards\n");
    }
    before = now;
    port_spin(150000);
  }
  put_number("ticks", before);
}

struct scenario {
  const char *name;
  void (*play)(void);
};

/* A fault whose handler cannot be fetched: the core locks up. */
static void lock_up(void)
{
#if !defined(__ARM_ARCH_6M__)
  *(volatile uint32_t *)0xE000ED08u = 0x2FAD0000u;
#endif
  execute_nonsense();
}

static void exit_seven(void) { port_exit(7); }
static void hang(void)
{
  for (;;) {
  }
}
static void silent(void)
{
  for (;;) {
    port_wait();
  }
}
static void overflow(void) { put_number("depth", descend(0)); }
static void overflow_by_leap(void) { put_number("leap", leap()); }
static void chatter(void)
{
  for (;;) {
    put_text("and so on\n");
  }
}

static const struct scenario scenarios[] = {
    {"boot", boot},
    {"bus", read_nowhere},
    {"chatter", chatter},
    {"clock", clock_going},
    {"echo", echo},
    {"exit", exit_seven},
    {"files", copy_file},
    {"hang", hang},
    {"highwater", high_water},
    {"late", late},
    {"leap", overflow_by_leap},
    {"lockup", lock_up},
    {"masked", fault_with_interrupts_off},
    {"null", call_nobody},
    {"overflow", overflow},
    {"reset", port_reset},
    {"silent", silent},
    {"sleep", sleep_until_byte},
    {"ticks", ticks},
    {"undefined", execute_nonsense},
};

int main(void)
{
  char argument[32];
  port_command_line(argument, sizeof argument);
  for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++) {
    if (strcmp(scenarios[i].name, argument) == 0) {
      put_text("ready\n");
      scenarios[i].play();
      put_text("done\n");
      return 0;
    }
  }
  put_text("unknown scenario: ");
  put_text(argument);
  put_text("\n");
  return 2;
}
