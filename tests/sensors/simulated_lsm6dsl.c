/* An LSM6DSL in memory, in place of a bus: what lib/sensors/source_lsm6dsl.c meets on an emulated
 * core.  It measures what the file steps.raw holds, 16-bit rows of the accelerometer's and the
 * gyroscope's x, y, z, up to ROWS_AT_ONCE each time its status is read, and is gone at the end. */
#include <string.h>

#include "port.h"
#include "tinyml_i2c.h"

enum { CHANNELS = 6, ROWS_AT_ONCE = 20, WORDS = CHANNELS * ROWS_AT_ONCE };
enum { WHO_AM_I = 0x0F, CTRL3_C = 0x12, FIFO_CTRL5 = 0x0A, FIFO_STATUS1 = 0x3A, FIFO_DATA = 0x3E };

static uint8_t registers[128];
static int file = -1;
static bool gone;
static int16_t words[WORDS]; /* gyroscope first, as in the FIFO */
static size_t first, unread;

static void power_on(void)
{
  memset(registers, 0, sizeof registers);
  registers[WHO_AM_I] = 0x6A;
  registers[CTRL3_C] = 0x04;
}

static void measure(void)
{
  int16_t row[CHANNELS];
  first = 0;
  while (unread + CHANNELS <= WORDS) {
    if (port_file_read(file, row, sizeof row) != sizeof row) {
      gone = unread == 0;
      return;
    }
    memcpy(&words[unread], &row[3], 6);
    memcpy(&words[unread + 3], &row[0], 6);
    unread += CHANNELS;
  }
}

void tinyml_i2c_start(void)
{
  if (file < 0) {
    power_on();
    file = port_file_open("steps.raw", PORT_FILE_READ);
  }
}

bool tinyml_i2c_write(uint8_t device, uint8_t reg, uint8_t value)
{
  if (gone || file < 0 || device != 0x6A) {
    return false;
  }
  if (reg == CTRL3_C && (value & 1u) != 0) {
    power_on();
  } else {
    registers[reg] = value;
  }
  return true;
}

bool tinyml_i2c_read(uint8_t device, uint8_t reg, uint8_t *data, size_t bytes)
{
  if (gone || file < 0 || device != 0x6A) {
    return false;
  }
  if (reg == FIFO_DATA) {
    memcpy(data, &words[first], bytes);
    first += bytes / 2;
    unread -= bytes / 2;
    return true;
  }
  if (reg == FIFO_STATUS1 && registers[FIFO_CTRL5] == (4u << 3 | 6u) && unread == 0) {
    measure();
  }
  registers[FIFO_STATUS1] = (uint8_t)unread;
  memcpy(data, &registers[reg], bytes);
  return !gone;
}
