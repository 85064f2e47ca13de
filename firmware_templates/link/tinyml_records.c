#include "tinyml_records.h"

#include "model.h"
#include "port.h"
#include "tinyml_crc32.h"

#if TINYML_SEMIHOSTING
static void write_bytes(struct tinyml_records *records, const void *data, size_t bytes)
{
  records->failed |= port_file_write(records->file, data, bytes) != bytes;
  records->crc = tinyml_crc32(records->crc, data, bytes);
  records->bytes += bytes;
}

void tinyml_write_record(struct tinyml_records *records, uint32_t inference,
                         enum tinyml_record_kind kind, size_t index, int32_t tensor,
                         const void *data, size_t bytes)
{
  const struct tinyml_bulk_record record = {
      .inference = inference,
      .kind = (uint16_t)kind,
      .index = (uint16_t)index,
      .tensor = tensor,
      .bytes = (uint32_t)bytes,
      .crc = tinyml_crc32(0, data, bytes),
  };
  uint8_t header[TINYML_BULK_RECORD_BYTES];
  struct tinyml_writer writer = {.data = header, .capacity = sizeof header};
  tinyml_pack_bulk_record(&writer, &record);
  write_bytes(records, header, writer.bytes);
  write_bytes(records, data, bytes);
}

void tinyml_write_outputs(struct tinyml_records *records, uint32_t inference)
{
  for (size_t i = 0; i < MODEL_OUTPUT_COUNT; i++) {
    const struct model_tensor *output = model_output(i);
    tinyml_write_record(records, inference, TINYML_RECORD_OUTPUT, i, -1, output->data,
                        output->bytes);
  }
}
#else
typedef int tinyml_records_are_for_emulators;
#endif
