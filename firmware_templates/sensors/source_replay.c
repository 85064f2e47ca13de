/* A recording in the sensor's place: a file of the computer that runs the emulator. */
#include "port.h"
#include "tinyml_source.h"
#include "tinyml_source_config.h"

#if SOURCE_REPLAY && TINYML_SEMIHOSTING

static int file = -1;

int tinyml_source_start(void)
{
  file = port_file_open(SOURCE_FILE, PORT_FILE_READ);
  return file >= 0 ? TINYML_SOURCE_OK : TINYML_SOURCE_ABSENT;
}

int tinyml_source_read(features_sample *samples, size_t count)
{
  const size_t row = sizeof *samples * SOURCE_CHANNELS;
  const size_t wanted = sizeof *samples * count / row * row;
  const size_t got = port_file_read(file, samples, wanted) / row * row;
  return got > 0 ? (int)(got / sizeof *samples) : TINYML_SOURCE_ENDED;
}

void tinyml_source_stop(void)
{
  if (file >= 0) {
    (void)port_file_close(file);
  }
  file = -1;
}

#elif SOURCE_REPLAY /* nobody has files: samples come over the link alone */

int tinyml_source_start(void) { return TINYML_SOURCE_ABSENT; }

int tinyml_source_read(features_sample *samples, size_t count)
{
  (void)samples;
  (void)count;
  return TINYML_SOURCE_ENDED;
}

void tinyml_source_stop(void) {}

#endif
