/* Prints one report of tinyml_report.c about outputs that arrive on standard input.
 *
 * For each of the two outputs: type (one byte), scale (4 bytes), zero point (4 bytes), number of
 * bytes (4 bytes), and the bytes, all in the byte order of the host; then the ticks (8 bytes). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"
#include "port.h"
#include "tinyml_report.h"

enum { CAPACITY = 4096 };

static _Alignas(8) uint8_t memory[MODEL_OUTPUT_COUNT][CAPACITY];
static struct model_tensor outputs[MODEL_OUTPUT_COUNT];

const struct model_tensor *model_output(size_t index)
{
  return &outputs[index];
}

uint32_t port_ticks_hz(void)
{
  return 25000000;
}

void port_write(const uint8_t *data, size_t bytes)
{
  fwrite(data, 1, bytes, stdout);
}

static void take(void *data, size_t bytes)
{
  if (fread(data, 1, bytes, stdin) != bytes) {
    exit(2);
  }
}

int main(void)
{
  for (size_t i = 0; i < MODEL_OUTPUT_COUNT; i++) {
    uint8_t type;
    uint32_t bytes;
    take(&type, sizeof type);
    take(&outputs[i].scale, sizeof outputs[i].scale);
    take(&outputs[i].zero_point, sizeof outputs[i].zero_point);
    take(&bytes, sizeof bytes);
    if (bytes > CAPACITY) {
      return 2;
    }
    take(memory[i], bytes);
    outputs[i].type = (enum model_type)type;
    outputs[i].bytes = bytes;
    outputs[i].data = memory[i];
  }
  uint64_t ticks;
  take(&ticks, sizeof ticks);
  tinyml_report(ticks);
  tinyml_report(ticks + 1u);
  return 0;
}
