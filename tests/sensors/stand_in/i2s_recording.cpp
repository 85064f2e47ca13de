/* A microphone that plays the file STAND_IN_SOUND, 16-bit samples, and then is silent. */
#include <driver/i2s.h>

#include <stdio.h>
#include <stdlib.h>

static FILE *recording;

extern "C" {
BaseType_t xQueueReceive(QueueHandle_t, void *, TickType_t) { return pdFALSE; }

esp_err_t i2s_driver_install(i2s_port_t, const i2s_config_t *, int, void *)
{
  const char *path = getenv("STAND_IN_SOUND");
  recording = path != nullptr ? fopen(path, "rb") : nullptr;
  return recording != nullptr ? ESP_OK : ESP_FAIL;
}

esp_err_t i2s_driver_uninstall(i2s_port_t)
{
  if (recording != nullptr) {
    fclose(recording);
  }
  recording = nullptr;
  return ESP_OK;
}

esp_err_t i2s_set_pin(i2s_port_t, const i2s_pin_config_t *) { return ESP_OK; }

esp_err_t i2s_read(i2s_port_t, void *to, size_t size, size_t *bytes, TickType_t)
{
  int32_t *words = static_cast<int32_t *>(to);
  *bytes = 0;
  int16_t sample;
  while (*bytes + sizeof *words <= size && fread(&sample, sizeof sample, 1, recording) == 1) {
    words[*bytes / sizeof *words] = static_cast<int32_t>(sample) * 65536;
    *bytes += sizeof *words;
  }
  return ESP_OK;
}
}
