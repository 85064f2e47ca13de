/* LSM9DS1, accelerometer and gyroscope, on I2C; after its data sheet (DocID025715).
 *
 * Its FIFO keeps 32 rows while the model runs. With the gyroscope on, both count at its rate; the
 * accelerometer's and the gyroscope's FIFO go on each with its own registers' last byte. */
#include "motion_sample.h"
#include "tinyml_i2c.h"
#include "tinyml_source.h"
#include "tinyml_source_config.h"

#if !SOURCE_REPLAY

enum {
  WHO_AM_I = 0x0F,
  CTRL_REG1_G = 0x10,
  OUT_X_G = 0x18,
  CTRL_REG6_XL = 0x20,
  CTRL_REG8 = 0x22,
  CTRL_REG9 = 0x23,
  OUT_X_XL = 0x28,
  FIFO_CTRL = 0x2E,
  FIFO_SRC = 0x2F
};

enum {
  IS_LSM9DS1 = 0x68,
  SW_RESET = 0x01,        /* CTRL_REG8: clears itself */
  KEEP_PAIRS = 0x44,      /* CTRL_REG8: BDU, and IF_ADD_INC, which is on after a reset */
  FIFO_ON = 0x02,         /* CTRL_REG9 */
  FIFO_BYPASS = 0x00,     /* FIFO_CTRL: empties it */
  FIFO_CONTINUOUS = 0xC0, /* FIFO_CTRL: the newest rows replace the oldest */
  FIFO_OVERRUN = 0x40,    /* FIFO_SRC */
  FIFO_UNREAD = 0x3F,     /* FIFO_SRC: rows */
  RESET_READS = 100       /* far longer than a reset takes at 400 kHz */
};

static bool put(uint8_t reg, unsigned value)
{
  return tinyml_i2c_write(SOURCE_ADDRESS, reg, (uint8_t)value);
}

static bool get(uint8_t reg, uint8_t *data, size_t bytes)
{
  return tinyml_i2c_read(SOURCE_ADDRESS, reg, data, bytes);
}

static bool reset(void)
{
  uint8_t value = SW_RESET;
  if (!put(CTRL_REG8, SW_RESET)) {
    return false;
  }
  for (int i = 0; i < RESET_READS; i++) {
    if (get(CTRL_REG8, &value, 1) && (value & SW_RESET) == 0) {
      return true;
    }
  }
  return false;
}

static bool configure(void)
{
  const unsigned gyroscope = SOURCE_RATE_CODE << 5 | SOURCE_ROTATION_CODE << 3;
  const unsigned accelerometer = SOURCE_RATE_CODE << 5 | SOURCE_ACCELERATION_CODE << 3;
  return put(CTRL_REG8, KEEP_PAIRS) && put(CTRL_REG9, FIFO_ON) && put(FIFO_CTRL, FIFO_BYPASS) &&
         put(FIFO_CTRL, FIFO_CONTINUOUS) && put(CTRL_REG1_G, SOURCE_GYROSCOPE ? gyroscope : 0u) &&
         put(CTRL_REG6_XL, accelerometer);
}

int tinyml_source_start(void)
{
  uint8_t who = 0;
  tinyml_i2c_start();
  if (!get(WHO_AM_I, &who, 1) || who != IS_LSM9DS1 || !reset()) {
    return TINYML_SOURCE_ABSENT;
  }
  return configure() ? TINYML_SOURCE_OK : TINYML_SOURCE_BUS;
}

static bool empty_fifo(void)
{
  return put(FIFO_CTRL, FIFO_BYPASS) && put(FIFO_CTRL, FIFO_CONTINUOUS);
}

/* One row; both FIFOs go on, whichever is used. */
static bool read_row(features_sample *row)
{
  uint8_t bytes[MOTION_BYTES];
#if SOURCE_GYROSCOPE
  if (!get(OUT_X_G, bytes, sizeof bytes)) {
    return false;
  }
  MOTION_ROTATION(bytes, &row[SOURCE_ACCELEROMETER ? MOTION_AXES : 0]);
#endif
  if (!get(OUT_X_XL, bytes, sizeof bytes)) {
    return false;
  }
#if SOURCE_ACCELEROMETER
  MOTION_ACCELERATION(bytes, row);
#endif
  return true;
}

int tinyml_source_read(features_sample *samples, size_t count)
{
  uint8_t fifo;
  if (!get(FIFO_SRC, &fifo, 1)) {
    return TINYML_SOURCE_BUS;
  }
  if ((fifo & FIFO_OVERRUN) != 0) {
    return empty_fifo() ? TINYML_SOURCE_LOST : TINYML_SOURCE_BUS;
  }
  size_t rows = fifo & FIFO_UNREAD;
  rows = rows < count / SOURCE_CHANNELS ? rows : count / SOURCE_CHANNELS;
  for (size_t row = 0; row < rows; row++) {
    if (!read_row(&samples[row * SOURCE_CHANNELS])) {
      return TINYML_SOURCE_BUS;
    }
  }
  return (int)(rows * SOURCE_CHANNELS);
}

void tinyml_source_stop(void)
{
  (void)put(CTRL_REG1_G, 0);
  (void)put(CTRL_REG6_XL, 0);
}

#endif
