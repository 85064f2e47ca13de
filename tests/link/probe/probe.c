/* The codec and the number printer of the link as functions of a shared library, for comparison
 * with their Python twins.  All that would go to the port goes to a buffer. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "port.h"
#include "tinyml_crc32.h"
#include "tinyml_frame.h"
#include "tinyml_print.h"

static uint8_t *output;
static size_t output_bytes;

static void put(const void *data, size_t bytes)
{
  if (bytes > 0) {
    memcpy(output + output_bytes, data, bytes);
    output_bytes += bytes;
  }
}

void port_write(const uint8_t *data, size_t bytes) { put(data, bytes); }

/* Writes records {uint8 event, uint32 bytes, data}; returns their length. */
size_t probe_receive(const uint8_t *stream, size_t bytes, uint8_t *records);
/* Writes the wire's bytes of a frame without CRC, `bytes` long; returns their number. */
size_t probe_send(const uint8_t *frame, size_t bytes, uint8_t *wire);
/* Writes the digits; returns their number. */
size_t probe_print_real(int64_t factor, float scale, uint8_t *text);
size_t probe_print_int(int64_t value, uint8_t *text);
uint32_t probe_crc32(uint32_t crc, const uint8_t *data, size_t bytes);

static void record(uint8_t event, const uint8_t *data, size_t bytes)
{
  const uint32_t length = (uint32_t)bytes;
  put(&event, 1);
  put(&length, sizeof length);
  put(data, bytes);
}

size_t probe_receive(const uint8_t *stream, size_t bytes, uint8_t *records)
{
  struct tinyml_receiver receiver;
  memset(&receiver, 0, sizeof receiver);
  output = records;
  output_bytes = 0;
  for (size_t i = 0; i < bytes; i++) {
    const enum tinyml_received event = tinyml_receive(&receiver, stream[i]);
    if (event == TINYML_RECEIVED_TEXT) {
      record('T', &stream[i], 1);
    } else if (event == TINYML_RECEIVED_FRAME) {
      record('F', receiver.frame, receiver.bytes - TINYML_CRC_BYTES);
    } else if (event == TINYML_RECEIVED_DAMAGED) {
      record('D', NULL, 0);
    }
  }
  return output_bytes;
}

size_t probe_send(const uint8_t *frame, size_t bytes, uint8_t *wire)
{
  uint8_t complete[TINYML_FRAME_BYTES];
  memcpy(complete, frame, bytes);
  output = wire;
  output_bytes = 0;
  tinyml_send_frame(complete, bytes);
  return output_bytes;
}

size_t probe_print_real(int64_t factor, float scale, uint8_t *text)
{
  output = text;
  output_bytes = 0;
  tinyml_print_real(factor, scale);
  return output_bytes;
}

size_t probe_print_int(int64_t value, uint8_t *text)
{
  output = text;
  output_bytes = 0;
  tinyml_print_int(value);
  return output_bytes;
}

uint32_t probe_crc32(uint32_t crc, const uint8_t *data, size_t bytes)
{
  return tinyml_crc32(crc, data, bytes);
}
