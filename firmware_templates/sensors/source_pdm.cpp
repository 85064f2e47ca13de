/* A PDM microphone through the framework's library PDM.
 *
 * The library keeps two short buffers and stops for good when one is not read in time, so that its
 * callback, an interrupt, copies them to a ring at once: there a gap is seen and told. */
#ifdef ARDUINO

#include <Arduino.h>
#include <PDM.h>

#include "tinyml_source.h"
#include "tinyml_source_config.h"

static_assert((SOURCE_RING_SAMPLES & (SOURCE_RING_SAMPLES - 1u)) == 0, "must be a power of two");

static const size_t BLOCK_SAMPLES = 256;

static int16_t ring[SOURCE_RING_SAMPLES];
static int16_t block[BLOCK_SAMPLES];
static volatile uint32_t received; /* written by the callback only */
static volatile uint32_t taken;    /* written by the application only */
static volatile bool overrun;      /* set by the callback, cleared by the application */

/* Drops a block that does not fit, but reads it, for the library to go on. */
static void keep(void)
{
  int bytes = PDM.available();
  while (bytes > 0) {
    const int most = static_cast<int>(sizeof block);
    const int got = PDM.read(block, static_cast<size_t>(bytes < most ? bytes : most));
    if (got <= 0) {
      return;
    }
    const uint32_t samples = static_cast<uint32_t>(got) / 2u;
    const uint32_t at = received;
    bytes -= got;
    if (overrun || samples > SOURCE_RING_SAMPLES - (at - taken)) {
      overrun = true;
      continue;
    }
    for (uint32_t i = 0; i < samples; i++) {
      ring[(at + i) % SOURCE_RING_SAMPLES] = block[i];
    }
    received = at + samples;
  }
}

int tinyml_source_start(void)
{
  received = 0;
  taken = 0;
  overrun = false;
  PDM.onReceive(keep);
#ifdef SOURCE_GAIN
  PDM.setGain(SOURCE_GAIN);
#endif
  return PDM.begin(1, SOURCE_RATE) != 0 ? TINYML_SOURCE_OK : TINYML_SOURCE_REFUSED;
}

/* What came before a gap is dropped with it: the next samples are new ones. */
int tinyml_source_read(features_sample *samples, size_t count)
{
  if (overrun) {
    taken = received;
    overrun = false; /* only now does the callback write again */
    return TINYML_SOURCE_LOST;
  }
  const uint32_t there = received - taken;
  const uint32_t part = there < count ? there : static_cast<uint32_t>(count);
  for (uint32_t i = 0; i < part; i++) {
    samples[i] = ring[(taken + i) % SOURCE_RING_SAMPLES];
  }
  taken = taken + part;
  return static_cast<int>(part);
}

void tinyml_source_stop(void) { PDM.end(); }

#endif
