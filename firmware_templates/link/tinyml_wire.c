#include "tinyml_wire.h"

#include <string.h>

#include "tinyml_protocol.h"

static void write_number(struct tinyml_writer *writer, uint64_t value, unsigned bytes)
{
  for (unsigned i = 0; i < bytes; i++) {
    tinyml_write_u8(writer, (uint8_t)(value >> (8u * i)));
  }
}

void tinyml_write_u8(struct tinyml_writer *writer, uint8_t value)
{
  if (writer->bytes == writer->capacity) {
    writer->full = true;
    return;
  }
  writer->data[writer->bytes++] = value;
}

void tinyml_write_u16(struct tinyml_writer *writer, uint16_t value)
{
  write_number(writer, value, 2);
}

void tinyml_write_u32(struct tinyml_writer *writer, uint32_t value)
{
  write_number(writer, value, 4);
}

void tinyml_write_u64(struct tinyml_writer *writer, uint64_t value)
{
  write_number(writer, value, 8);
}

void tinyml_write_i32(struct tinyml_writer *writer, int32_t value)
{
  write_number(writer, (uint32_t)value, 4);
}

void tinyml_write_f32(struct tinyml_writer *writer, float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  write_number(writer, bits, 4);
}

void tinyml_write_hash(struct tinyml_writer *writer, const uint8_t *hash)
{
  tinyml_write_rest(writer, hash, 32);
}

void tinyml_write_shape(struct tinyml_writer *writer, const int32_t *shape)
{
  for (size_t i = 0; i < TINYML_SHAPE_DIMENSIONS; i++) {
    tinyml_write_i32(writer, shape[i]);
  }
}

void tinyml_write_text(struct tinyml_writer *writer, const char *text)
{
  for (size_t i = 0; i + 1 < TINYML_TEXT_BYTES && text[i] != '\0'; i++) {
    tinyml_write_u8(writer, (uint8_t)text[i]);
  }
  tinyml_write_u8(writer, 0);
}

void tinyml_write_rest(struct tinyml_writer *writer, const uint8_t *data, size_t bytes)
{
  if (bytes > writer->capacity - writer->bytes) {
    writer->full = true;
    return;
  }
  if (bytes > 0) {
    memcpy(writer->data + writer->bytes, data, bytes);
    writer->bytes += bytes;
  }
}

static uint32_t read_number(struct tinyml_reader *reader, unsigned bytes)
{
  uint32_t value = 0;
  for (unsigned i = 0; i < bytes; i++) {
    value |= (uint32_t)tinyml_read_u8(reader) << (8u * i);
  }
  return value;
}

uint8_t tinyml_read_u8(struct tinyml_reader *reader)
{
  if (reader->bytes == 0) {
    reader->bad = true;
    return 0;
  }
  reader->bytes--;
  return *reader->data++;
}

uint16_t tinyml_read_u16(struct tinyml_reader *reader) { return (uint16_t)read_number(reader, 2); }

uint32_t tinyml_read_u32(struct tinyml_reader *reader) { return read_number(reader, 4); }

const char *tinyml_read_text(struct tinyml_reader *reader)
{
  const char *text = (const char *)reader->data;
  while (reader->bytes > 0) {
    if (tinyml_read_u8(reader) == 0) {
      return text;
    }
  }
  reader->bad = true;
  return "";
}

const uint8_t *tinyml_read_rest(struct tinyml_reader *reader, size_t *bytes)
{
  const uint8_t *data = reader->data;
  *bytes = reader->bytes;
  reader->data += reader->bytes;
  reader->bytes = 0;
  return data;
}

bool tinyml_read_all(const struct tinyml_reader *reader)
{
  return !reader->bad && reader->bytes == 0;
}
