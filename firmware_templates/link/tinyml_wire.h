/* Numbers and texts on the wire: little-endian, nothing padded, no access out of bounds. */
#ifndef TINYML_WIRE_H
#define TINYML_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends to a buffer; what does not fit is dropped and sets `full`. */
struct tinyml_writer {
  uint8_t *data;
  size_t bytes;
  size_t capacity;
  bool full;
};

void tinyml_write_u8(struct tinyml_writer *writer, uint8_t value);
void tinyml_write_u16(struct tinyml_writer *writer, uint16_t value);
void tinyml_write_u32(struct tinyml_writer *writer, uint32_t value);
void tinyml_write_u64(struct tinyml_writer *writer, uint64_t value);
void tinyml_write_i32(struct tinyml_writer *writer, int32_t value);
void tinyml_write_f32(struct tinyml_writer *writer, float value);
/* 32 bytes. */
void tinyml_write_hash(struct tinyml_writer *writer, const uint8_t *hash);
/* TINYML_SHAPE_DIMENSIONS numbers. */
void tinyml_write_shape(struct tinyml_writer *writer, const int32_t *shape);
/* NUL-terminated; cut to TINYML_TEXT_BYTES with its end. */
void tinyml_write_text(struct tinyml_writer *writer, const char *text);
void tinyml_write_rest(struct tinyml_writer *writer, const uint8_t *data, size_t bytes);

/* Consumes a buffer; reading past its end gives zeros and sets `bad`. */
struct tinyml_reader {
  const uint8_t *data;
  size_t bytes; /* left */
  bool bad;
};

uint8_t tinyml_read_u8(struct tinyml_reader *reader);
uint16_t tinyml_read_u16(struct tinyml_reader *reader);
uint32_t tinyml_read_u32(struct tinyml_reader *reader);
/* A NUL-terminated text inside the buffer, or "" and `bad`. */
const char *tinyml_read_text(struct tinyml_reader *reader);
const uint8_t *tinyml_read_rest(struct tinyml_reader *reader, size_t *bytes);
/* Whether everything was there and nothing is left. */
bool tinyml_read_all(const struct tinyml_reader *reader);

#endif
