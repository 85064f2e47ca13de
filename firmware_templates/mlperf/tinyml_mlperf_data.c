#include "tinyml_mlperf_data.h"

#include "tinyml_inference.h"
#include "tinyml_mlperf_config.h"

#if TINYML_MLPERF_FLOAT
#include <string.h>

#include "quantize_f32.h"
#endif

/* From unsigned values to the stored int8 ones. */
enum { OFFSET = TINYML_MLPERF_UNSIGNED ? 128 : 0 };

static uint8_t loaded[TINYML_MLPERF_DATA_BYTES]; /* each OFFSET less than it came */
static size_t loaded_bytes;
static size_t expected_bytes;

bool tinyml_mlperf_data_expect(size_t bytes)
{
  loaded_bytes = 0;
  expected_bytes = bytes <= sizeof loaded ? bytes : 0;
  return bytes <= sizeof loaded;
}

/* The value of a hexadecimal digit, or -1. */
static int digit_value(char digit)
{
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  if (digit >= 'a' && digit <= 'f') {
    return digit - 'a' + 10;
  }
  if (digit >= 'A' && digit <= 'F') {
    return digit - 'A' + 10;
  }
  return -1;
}

enum tinyml_mlperf_taken tinyml_mlperf_data_take(const char *digits)
{
  size_t count = 0;
  for (; digits[count] != '\0'; count++) {
    if (digit_value(digits[count]) < 0) {
      return TINYML_MLPERF_BAD_DIGIT;
    }
  }
  if (count % 2u != 0) {
    return TINYML_MLPERF_ODD_DIGITS;
  }
  if (loaded_bytes == expected_bytes) {
    return TINYML_MLPERF_NOT_EXPECTED;
  }
  for (size_t i = 0; i < count && loaded_bytes < expected_bytes; i += 2u) {
    const int value = digit_value(digits[i]) * 16 + digit_value(digits[i + 1u]);
    loaded[loaded_bytes++] = (uint8_t)(value - OFFSET);
  }
  return loaded_bytes == expected_bytes ? TINYML_MLPERF_COMPLETE : TINYML_MLPERF_TAKEN;
}

size_t tinyml_mlperf_data_loaded(void) { return loaded_bytes; }

uint8_t tinyml_mlperf_data_at(size_t index) { return (uint8_t)(loaded[index] + OFFSET); }

#if TINYML_MLPERF_FLOAT
static int8_t quantized[TINYML_MLPERF_DATA_BYTES / sizeof(float)];

float tinyml_mlperf_data_value(size_t index)
{
  float value;
  memcpy(&value, &loaded[index * sizeof value], sizeof value);
  return value;
}

bool tinyml_mlperf_data_prepare(void)
{
  if (loaded_bytes < sizeof loaded) {
    return false;
  }
  const struct model_tensor *input = model_input(0);
  for (size_t i = 0; i < sizeof quantized; i++) {
    quantized[i] = (int8_t)tinyml_quantize_f32(tinyml_mlperf_data_value(i), input->scale,
                                               input->zero_point, INT8_MIN, INT8_MAX);
  }
  return true;
}

void tinyml_mlperf_data_to_input(void)
{
  (void)tinyml_inference_set_input(0, 0, (const uint8_t *)quantized, sizeof quantized);
}
#else
bool tinyml_mlperf_data_prepare(void) { return loaded_bytes == sizeof loaded; }

void tinyml_mlperf_data_to_input(void)
{
  (void)tinyml_inference_set_input(0, 0, loaded, sizeof loaded);
}
#endif
