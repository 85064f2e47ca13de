/* Registers of a device on an I2C bus: all that a sensor's driver needs of the bus. */
#ifndef TINYML_I2C_H
#define TINYML_I2C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Most bytes of one tinyml_i2c_read(): the smallest buffer of a framework is 32. */
#define TINYML_I2C_BYTES 32u

/* Powers the bus up, at 400 kHz. */
void tinyml_i2c_start(void);

/* Whether the device has acknowledged every byte. */
bool tinyml_i2c_write(uint8_t device, uint8_t reg, uint8_t value);

/* Reads from `reg` on; false, and `data` is not to be used, where the device does not answer. */
bool tinyml_i2c_read(uint8_t device, uint8_t reg, uint8_t *data, size_t bytes);

#ifdef __cplusplus
}
#endif

#endif
