/* The stand-in on the host.  Environment:
 *   STAND_IN_FD       file descriptor of the serial port
 *   STAND_IN_RECEIVES the firmware must have asked for so many bytes before begin()
 *   STAND_IN_HOLDS    written bytes wait for flush(), as some frameworks let them
 *   STAND_IN_RESET    what the chip's reset register says, or ESP-IDF's number of the reason
 *   STAND_IN_RESTARTED set by esp_restart() */
#include <Arduino.h>
#include <esp_system.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char **arguments;
static int port;
static bool holds;
static bool begun;

static uint8_t received[4096];
static size_t first;
static size_t count;
static size_t capacity = 64;

static uint8_t held[8192];
static size_t held_bytes;

static uint64_t nanoseconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

unsigned long micros(void) { return (uint32_t)(nanoseconds() / 1000u); }
unsigned long millis(void) { return (uint32_t)(nanoseconds() / 1000000u); }
void delay(unsigned long ms) { usleep((useconds_t)ms * 1000u); }

void yield(void)
{
  struct pollfd wait = {port, POLLIN, 0};
  poll(&wait, 1, 1);
}

static void put(const uint8_t *data, size_t bytes)
{
  while (bytes > 0) {
    const ssize_t sent = ::write(port, data, bytes);
    if (sent < 0 && errno != EAGAIN) {
      exit(3);
    }
    if (sent > 0) {
      data += sent;
      bytes -= (size_t)sent;
    }
  }
}

void StandInSerial::begin(unsigned long baud)
{
  const char *wanted = getenv("STAND_IN_RECEIVES");
  if (wanted != nullptr && capacity != (size_t)atol(wanted)) {
    exit(7);
  }
  begun = baud > 0;
}

size_t StandInSerial::setRxBufferSize(size_t bytes)
{
  if (begun) {
    exit(4); /* as on an ESP32, it would have no effect any more */
  }
  capacity = bytes < sizeof received ? bytes : sizeof received;
  return capacity;
}

int StandInSerial::available()
{
  while (count < capacity) {
    struct pollfd there = {port, POLLIN, 0};
    if (poll(&there, 1, 0) <= 0 || (there.revents & POLLIN) == 0) {
      break;
    }
    uint8_t byte;
    if (::read(port, &byte, 1) != 1) {
      exit(0); /* the host has gone */
    }
    received[(first + count++) % sizeof received] = byte;
  }
  return (int)count;
}

int StandInSerial::read()
{
  if (count == 0) {
    return -1;
  }
  const uint8_t byte = received[first];
  first = (first + 1) % sizeof received;
  count--;
  return byte;
}

/* Takes at most a USB packet at once. */
size_t StandInSerial::write(const uint8_t *data, size_t bytes)
{
  const size_t taken = bytes < 64 ? bytes : 64;
  if (!begun) {
    return 0;
  }
  if (!holds) {
    put(data, taken);
    return taken;
  }
  if (held_bytes + taken > sizeof held) {
    exit(5); /* nobody flushes */
  }
  memcpy(held + held_bytes, data, taken);
  held_bytes += taken;
  return taken;
}

void StandInSerial::flush()
{
  put(held, held_bytes);
  held_bytes = 0;
}

StandInSerial Serial;

unsigned long uxTaskGetStackHighWaterMark(TaskHandle_t task) { return task == nullptr ? 3000 : 0; }

static uint32_t reset_register(uint32_t usual)
{
  const char *number = getenv("STAND_IN_RESET");
  return number == nullptr ? usual : (uint32_t)strtoul(number, nullptr, 0);
}

uint32_t readResetReason(void) { return reset_register(1u << 2); }

uint32_t stand_in_reset_flags = reset_register(1u << RCC_FLAG_SFTRST | 1u << RCC_FLAG_PINRST);

esp_reset_reason_t esp_reset_reason(void)
{
  return getenv("STAND_IN_RESTARTED") ? ESP_RST_SW
                                      : (esp_reset_reason_t)reset_register(ESP_RST_POWERON);
}

void esp_restart(void)
{
  setenv("STAND_IN_RESTARTED", "1", 1);
  execv("/proc/self/exe", arguments);
  exit(6);
}

int main(int argc, char **argv)
{
  const char *number = getenv("STAND_IN_FD");
  if (argc < 1 || number == nullptr) {
    return 2;
  }
  arguments = argv;
  port = atoi(number);
  holds = getenv("STAND_IN_HOLDS") != nullptr;
  setup();
  for (;;) {
    loop();
  }
}
