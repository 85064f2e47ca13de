/* A microphone that a test plays.  As the library on nRF52: one buffer is filled while the other is
 * read, and where that one was not read in time, there is silence for good. */
#include <PDM.h>

#include <stdint.h>
#include <string.h>

static const size_t BLOCK = 512;

static uint8_t buffer[BLOCK];
static size_t unread, size;
static void (*callback)(void);
static bool running;

extern "C" {
int pdm_begins, pdm_accepts = 1, pdm_channels, pdm_rate, pdm_gain = -1, pdm_stalled;

/* The interrupt at the end of a block of up to 256 samples. */
void pdm_deliver(const int16_t *samples, size_t count)
{
  if (!running) {
    return;
  }
  if (unread > 0) {
    pdm_stalled++;
    running = false;
    return;
  }
  size = unread = 2 * count;
  memcpy(buffer, samples, size);
  if (callback != nullptr) {
    callback();
  }
}
}

int PDMClass::begin(int channels, int sampleRate)
{
  pdm_begins++;
  pdm_channels = channels;
  pdm_rate = sampleRate;
  unread = 0;
  running = pdm_accepts != 0;
  return running ? 1 : 0;
}

void PDMClass::end() { running = false; }

int PDMClass::available() { return static_cast<int>(unread); }

int PDMClass::read(void *to, size_t count)
{
  const size_t part = count < unread ? count : unread;
  memcpy(to, buffer + size - unread, part);
  unread -= part;
  return static_cast<int>(part);
}

void PDMClass::onReceive(void (*function)(void)) { callback = function; }

void PDMClass::setGain(int gain) { pdm_gain = gain; }

PDMClass PDM;
