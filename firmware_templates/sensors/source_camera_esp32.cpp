/* The camera of an AI Thinker ESP32-CAM, through Espressif's esp_camera.
 *
 * The library owns the memory of its one picture, in the chip's RAM; the next is taken when the
 * features have all of it. */
#ifdef ARDUINO

#include <Arduino.h>
#include <esp_camera.h>

#include "tinyml_source.h"
#include "tinyml_source_config.h"

static camera_fb_t *picture;
static size_t taken;

static camera_config_t settings(void)
{
  camera_config_t config = {};
  config.pin_pwdn = 32;
  config.pin_reset = -1;
  config.pin_xclk = 0;
  config.pin_sscb_sda = 26;
  config.pin_sscb_scl = 27;
  config.pin_d7 = 35;
  config.pin_d6 = 34;
  config.pin_d5 = 39;
  config.pin_d4 = 36;
  config.pin_d3 = 21;
  config.pin_d2 = 19;
  config.pin_d1 = 18;
  config.pin_d0 = 5;
  config.pin_vsync = 25;
  config.pin_href = 23;
  config.pin_pclk = 22;
  config.xclk_freq_hz = 20000000;
  config.ledc_timer = LEDC_TIMER_0;
  config.ledc_channel = LEDC_CHANNEL_0;
  config.pixel_format = SOURCE_PIXELS;
  config.frame_size = SOURCE_FRAME_SIZE;
  config.fb_count = 1;
  config.fb_location = CAMERA_FB_IN_DRAM;
  config.grab_mode = CAMERA_GRAB_WHEN_EMPTY;
  return config;
}

int tinyml_source_start(void)
{
  const camera_config_t config = settings();
  picture = nullptr;
  return esp_camera_init(&config) == ESP_OK ? TINYML_SOURCE_OK : TINYML_SOURCE_ABSENT;
}

static void give_back(void)
{
  if (picture != nullptr) {
    esp_camera_fb_return(picture);
  }
  picture = nullptr;
}

int tinyml_source_read(features_sample *samples, size_t count)
{
  if (picture == nullptr) {
    picture = esp_camera_fb_get();
    taken = 0;
  }
  if (picture == nullptr || picture->len != SOURCE_FRAME_BYTES) {
    give_back();
    return TINYML_SOURCE_BUS;
  }
  const size_t left = SOURCE_FRAME_BYTES - taken;
  const size_t part = left < count ? left : count;
  for (size_t i = 0; i < part; i++) {
    samples[i] = picture->buf[taken + i];
  }
  taken += part;
  if (taken == SOURCE_FRAME_BYTES) {
    give_back();
  }
  return static_cast<int>(part);
}

void tinyml_source_stop(void)
{
  give_back();
  (void)esp_camera_deinit();
}

#endif
