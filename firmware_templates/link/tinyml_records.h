/* A file of the host that receives a record before each tensor. */
#ifndef TINYML_RECORDS_H
#define TINYML_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tinyml_protocol.h"

#if TINYML_SEMIHOSTING
struct tinyml_records {
  int file;
  bool failed;
  uint32_t crc;   /* of all bytes written */
  uint64_t bytes; /* written */
};

/* tensor: its index in the .tflite, -1 for an input or output of the model. */
void tinyml_write_record(struct tinyml_records *records, uint32_t inference,
                         enum tinyml_record_kind kind, size_t index, int32_t tensor,
                         const void *data, size_t bytes);

/* The record and the values of each output of the model. */
void tinyml_write_outputs(struct tinyml_records *records, uint32_t inference);
#endif

#endif
