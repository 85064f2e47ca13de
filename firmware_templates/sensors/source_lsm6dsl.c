/* LSM6DSL, accelerometer and gyroscope, on I2C; after its data sheet (DocID028475).
 *
 * Its FIFO of 2048 words keeps the gyroscope's x, y, z and then the accelerometer's of each time,
 * those of them that are on, while the model runs. */
#include "motion_sample.h"
#include "tinyml_i2c.h"
#include "tinyml_source.h"
#include "tinyml_source_config.h"

#if !SOURCE_REPLAY

enum {
  FIFO_CTRL3 = 0x08,
  FIFO_CTRL5 = 0x0A,
  WHO_AM_I = 0x0F,
  CTRL1_XL = 0x10,
  CTRL2_G = 0x11,
  CTRL3_C = 0x12,
  FIFO_STATUS1 = 0x3A, /* 4 of them: unread words, flags, place in the row */
  FIFO_DATA_OUT = 0x3E /* reading on from its second byte goes back to the first */
};

enum {
  IS_LSM6DSL = 0x6A,
  SW_RESET = 0x01,        /* CTRL3_C: clears itself */
  KEEP_PAIRS = 0x44,      /* CTRL3_C: BDU, and IF_INC, which is on after a reset */
  EVERY_GYROSCOPE = 0x08, /* FIFO_CTRL3: no decimation */
  EVERY_ACCELEROMETER = 0x01,
  FIFO_BYPASS = 0x00,     /* FIFO_CTRL5: empties it */
  FIFO_CONTINUOUS = 0x06, /* FIFO_CTRL5: the newest words replace the oldest */
  FIFO_OVERRUN = 0x40,    /* FIFO_STATUS2 */
  FIFO_UNREAD_HIGH = 0x07,
  FIFO_PLACE_HIGH = 0x03, /* FIFO_STATUS4 */
  STATUS_BYTES = 4,
  ROW_BYTES = 2 * SOURCE_CHANNELS,
  RESET_READS = 100 /* far longer than a reset takes at 400 kHz */
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
  if (!put(CTRL3_C, SW_RESET)) {
    return false;
  }
  for (int i = 0; i < RESET_READS; i++) {
    if (get(CTRL3_C, &value, 1) && (value & SW_RESET) == 0) {
      return true;
    }
  }
  return false;
}

static bool start_fifo(void)
{
  return put(FIFO_CTRL5, FIFO_BYPASS) && put(FIFO_CTRL5, SOURCE_RATE_CODE << 3 | FIFO_CONTINUOUS);
}

static bool configure(void)
{
  const unsigned kept = (SOURCE_GYROSCOPE ? (unsigned)EVERY_GYROSCOPE : 0u) |
                        (SOURCE_ACCELEROMETER ? (unsigned)EVERY_ACCELEROMETER : 0u);
  const unsigned gyroscope = SOURCE_RATE_CODE << 4 | SOURCE_ROTATION_CODE << 2;
  const unsigned accelerometer = SOURCE_RATE_CODE << 4 | SOURCE_ACCELERATION_CODE << 2;
  return put(CTRL3_C, KEEP_PAIRS) && put(FIFO_CTRL3, kept) &&
         put(CTRL1_XL, SOURCE_ACCELEROMETER ? accelerometer : 0u) &&
         put(CTRL2_G, SOURCE_GYROSCOPE ? gyroscope : 0u) && start_fifo();
}

int tinyml_source_start(void)
{
  uint8_t who = 0;
  tinyml_i2c_start();
  if (!get(WHO_AM_I, &who, 1) || who != IS_LSM6DSL || !reset()) {
    return TINYML_SOURCE_ABSENT;
  }
  return configure() ? TINYML_SOURCE_OK : TINYML_SOURCE_BUS;
}

static bool read_row(features_sample *row)
{
  uint8_t bytes[ROW_BYTES];
  if (!get(FIFO_DATA_OUT, bytes, sizeof bytes)) {
    return false;
  }
#if SOURCE_GYROSCOPE
  MOTION_ROTATION(bytes, &row[SOURCE_ACCELEROMETER ? MOTION_AXES : 0]);
#endif
#if SOURCE_ACCELEROMETER
  MOTION_ACCELERATION(&bytes[SOURCE_GYROSCOPE ? MOTION_BYTES : 0], row);
#endif
  return true;
}

/* Whether the next word is not the first of a row: an overrun has thrown away a part of one. */
static bool is_shifted(const uint8_t *status)
{
  return status[2] != 0 || (status[3] & FIFO_PLACE_HIGH) != 0;
}

int tinyml_source_read(features_sample *samples, size_t count)
{
  uint8_t status[STATUS_BYTES];
  if (!get(FIFO_STATUS1, status, sizeof status)) {
    return TINYML_SOURCE_BUS;
  }
  if ((status[1] & FIFO_OVERRUN) != 0 || is_shifted(status)) {
    return start_fifo() ? TINYML_SOURCE_LOST : TINYML_SOURCE_BUS;
  }
  const size_t words = status[0] + 256u * (status[1] & (unsigned)FIFO_UNREAD_HIGH);
  const size_t most = count < words ? count : words;
  const size_t rows = most / SOURCE_CHANNELS;
  for (size_t row = 0; row < rows; row++) {
    if (!read_row(&samples[row * SOURCE_CHANNELS])) {
      return TINYML_SOURCE_BUS;
    }
  }
  return (int)(rows * SOURCE_CHANNELS);
}

void tinyml_source_stop(void)
{
  (void)put(FIFO_CTRL5, FIFO_BYPASS);
  (void)put(CTRL1_XL, 0);
  (void)put(CTRL2_G, 0);
}

#endif
