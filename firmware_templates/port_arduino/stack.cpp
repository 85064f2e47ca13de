/* How much stack loop() has used: known only where it is a task of FreeRTOS. */
#include <Arduino.h>

#include "drivers.h"

size_t port_stack_bytes(void) { return PORT_LOOP_STACK_BYTES; }

#if PORT_LOOP_STACK_BYTES > 0

size_t port_stack_high_water(void)
{
  return PORT_LOOP_STACK_BYTES - uxTaskGetStackHighWaterMark(nullptr) * sizeof(StackType_t);
}

#else

size_t port_stack_high_water(void) { return 0; }

#endif
