/* Time: the core's cycle counter where it has one, else the framework's microseconds. */
#include <Arduino.h>

#include "drivers.h"
#if PORT_CYCLE_COUNTER
#include "cycle_counter.h"
#endif

static const uint32_t MICROS_HZ = 1000000;

static uint32_t hz = MICROS_HZ;
static uint32_t last;
static uint64_t wrapped;

#if PORT_CYCLE_COUNTER

static const uint32_t TRIAL_US = 10000;

/* Whether the counter runs, and at the clock this board should have: within 3 % of micros(). */
static bool counter_is_right(void)
{
  if (!port_cycle_counter_start()) {
    return false;
  }
  const uint32_t from_us = (uint32_t)micros();
  const uint32_t from = port_cycle_counter();
  uint32_t us;
  do {
    us = (uint32_t)micros() - from_us;
  } while (us < TRIAL_US);
  const uint64_t cycles = port_cycle_counter() - from;
  const uint64_t expected = (uint64_t)PORT_CYCLES_HZ * us / MICROS_HZ;
  return cycles * 100u > expected * 97u && cycles * 100u < expected * 103u;
}

void port_timer_init(void) { hz = counter_is_right() ? PORT_CYCLES_HZ : MICROS_HZ; }

static uint32_t count(void) { return hz == MICROS_HZ ? (uint32_t)micros() : port_cycle_counter(); }

#else

void port_timer_init(void) {}

static uint32_t count(void) { return (uint32_t)micros(); }

#endif

uint64_t port_ticks(void)
{
  const uint32_t now = count();
  if (now < last) {
    wrapped += 1ull << 32;
  }
  last = now;
  return wrapped + now;
}

uint32_t port_ticks_hz(void) { return hz; }
