/* The bus of a driver under test: what it asks goes to functions of the test. */
#include "tinyml_i2c.h"

typedef int (*write_function)(uint8_t device, uint8_t reg, uint8_t value);
typedef int (*read_function)(uint8_t device, uint8_t reg, uint8_t *data, size_t bytes);

static write_function on_write;
static read_function on_read;
int shim_starts;

void shim_connect(write_function to_write, read_function to_read);

void shim_connect(write_function to_write, read_function to_read)
{
  on_write = to_write;
  on_read = to_read;
}

void tinyml_i2c_start(void) { shim_starts++; }

bool tinyml_i2c_write(uint8_t device, uint8_t reg, uint8_t value)
{
  return on_write(device, reg, value) != 0;
}

bool tinyml_i2c_read(uint8_t device, uint8_t reg, uint8_t *data, size_t bytes)
{
  return on_read(device, reg, data, bytes) != 0;
}
