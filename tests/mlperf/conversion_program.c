/* Prints what the firmware makes of the runner's data: as many bytes as come on stdin. */
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "tinyml_inference.h"
#include "tinyml_mlperf_config.h"
#include "tinyml_mlperf_data.h"

static struct model_tensor input;

const struct model_tensor *model_input(size_t index) { return index == 0 ? &input : NULL; }

bool tinyml_inference_set_input(size_t index, size_t offset, const uint8_t *data, size_t bytes)
{
  return index == 0 && offset == 0 && fwrite(data, 1, bytes, stdout) == bytes;
}

int main(void)
{
  float quantization[2]; /* scale, zero point */
  if (fread(quantization, sizeof quantization[0], 2, stdin) != 2) {
    return 1;
  }
  input.scale = quantization[0];
  input.zero_point = (int32_t)quantization[1];
  uint8_t data[TINYML_MLPERF_DATA_BYTES];
  while (fread(data, 1, sizeof data, stdin) == sizeof data) {
    if (!tinyml_mlperf_data_expect(sizeof data)) {
      return 2;
    }
    for (size_t i = 0; i < sizeof data; i++) {
      char digits[3];
      (void)snprintf(digits, sizeof digits, "%02x", (unsigned)data[i]);
      (void)tinyml_mlperf_data_take(digits);
    }
    if (!tinyml_mlperf_data_prepare()) {
      return 3;
    }
    tinyml_mlperf_data_to_input();
  }
  return 0;
}
