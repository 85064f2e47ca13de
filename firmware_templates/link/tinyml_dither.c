#include "tinyml_dither.h"

#include <stdint.h>

#include "port.h"

void tinyml_dither(void)
{
  static uint32_t loops;
  loops = (loops * 5u + 3u) % 32u; /* each number below 32 comes once in 32 times */
  port_spin(loops);
}
