/* The bus through the framework's library Wire. */
#ifdef ARDUINO

#include <Arduino.h>
#include <Wire.h>

#include "tinyml_i2c.h"
#include "tinyml_source_config.h"

static const uint32_t BUS_HZ = 400000;

void tinyml_i2c_start(void)
{
#ifdef SOURCE_I2C_SDA
  SOURCE_I2C.setSDA(SOURCE_I2C_SDA);
  SOURCE_I2C.setSCL(SOURCE_I2C_SCL);
#endif
  SOURCE_I2C.begin();
  SOURCE_I2C.setClock(BUS_HZ);
}

bool tinyml_i2c_write(uint8_t device, uint8_t reg, uint8_t value)
{
  SOURCE_I2C.beginTransmission(device);
  SOURCE_I2C.write(reg);
  SOURCE_I2C.write(value);
  return SOURCE_I2C.endTransmission() == 0;
}

bool tinyml_i2c_read(uint8_t device, uint8_t reg, uint8_t *data, size_t bytes)
{
  SOURCE_I2C.beginTransmission(device);
  SOURCE_I2C.write(reg);
  if (SOURCE_I2C.endTransmission(false) != 0) { /* a repeated start follows */
    return false;
  }
  if (static_cast<size_t>(SOURCE_I2C.requestFrom(device, static_cast<uint8_t>(bytes))) != bytes) {
    return false;
  }
  for (size_t i = 0; i < bytes; i++) {
    data[i] = static_cast<uint8_t>(SOURCE_I2C.read());
  }
  return true;
}

#endif
