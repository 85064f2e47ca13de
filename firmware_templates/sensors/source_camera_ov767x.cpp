/* An OV7670 or OV7675 at a Nano 33 BLE, through Arduino's library Arduino_OV767X.
 *
 * Taking a picture keeps interrupts off and the core busy until it is complete: up to two pictures
 * long. The pictures are whole ones, so that none can have a gap. */
#ifdef ARDUINO

#include <Arduino.h>
#include <Arduino_OV767X.h>

#include "tinyml_source.h"
#include "tinyml_source_config.h"

static uint8_t picture[SOURCE_FRAME_BYTES];
static size_t taken;

int tinyml_source_start(void)
{
  taken = SOURCE_FRAME_BYTES;
  return Camera.begin(SOURCE_FRAME_SIZE, SOURCE_PIXELS, SOURCE_FRAMES_A_SECOND) != 0
             ? TINYML_SOURCE_OK
             : TINYML_SOURCE_ABSENT;
}

int tinyml_source_read(features_sample *samples, size_t count)
{
  if (taken == SOURCE_FRAME_BYTES) {
    Camera.readFrame(picture);
    taken = 0;
  }
  const size_t left = SOURCE_FRAME_BYTES - taken;
  const size_t part = left < count ? left : count;
  for (size_t i = 0; i < part; i++) {
    samples[i] = picture[taken + i];
  }
  taken += part;
  return static_cast<int>(part);
}

void tinyml_source_stop(void) { Camera.end(); }

#endif
