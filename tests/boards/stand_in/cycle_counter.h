/* Stands in for the port's own cycle_counter.h on the host: counts as fast as this board should,
 * times STAND_IN_RATE percent; at 0 there is no counter. */
#ifndef TINYML_CYCLE_COUNTER_H
#define TINYML_CYCLE_COUNTER_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "port_config.h"

static inline unsigned stand_in_rate(void)
{
  const char *percent = getenv("STAND_IN_RATE");
  return percent == nullptr ? 100u : (unsigned)atoi(percent);
}

static inline bool port_cycle_counter_start(void) { return stand_in_rate() != 0; }

static inline uint32_t port_cycle_counter(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const uint64_t us = (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
  return (uint32_t)(us * (PORT_CYCLES_HZ / 1000000u) * stand_in_rate() / 100u);
}

#endif
