/* Two cameras whose pictures are numbered: byte i of picture n is 7 * i + n. */
#include <Arduino_OV767X.h>
#include <esp_camera.h>

#include <stdlib.h>

static int resolution_given = -1, format_given = -1, fps_given = -1;
static camera_fb_t lent;
static bool is_lent;

extern "C" {
int camera_fails, camera_pictures, camera_bytes, camera_runs, camera_lent;
camera_config_t camera_given;

int camera_setting(int which)
{
  const int values[] = {resolution_given,
                        format_given,
                        fps_given,
                        static_cast<int>(camera_given.frame_size),
                        static_cast<int>(camera_given.pixel_format),
                        static_cast<int>(camera_given.fb_location)};
  return values[which];
}
}

static void draw(uint8_t *to)
{
  for (int i = 0; i < camera_bytes; i++) {
    to[i] = static_cast<uint8_t>(7 * i + camera_pictures);
  }
  camera_pictures++;
}

int OV767X::begin(int resolution, int format, int fps)
{
  resolution_given = resolution;
  format_given = format;
  fps_given = fps;
  camera_runs = camera_fails == 0 ? 1 : 0;
  return camera_runs;
}

void OV767X::end() { camera_runs = 0; }

void OV767X::readFrame(void *buffer) { draw(static_cast<uint8_t *>(buffer)); }

OV767X Camera;

extern "C" {
esp_err_t esp_camera_init(const camera_config_t *config)
{
  camera_given = *config;
  camera_runs = camera_fails == 0 ? 1 : 0;
  return camera_fails == 0 ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_camera_deinit(void)
{
  camera_runs = 0;
  return ESP_OK;
}

camera_fb_t *esp_camera_fb_get(void)
{
  if (is_lent || camera_fails != 0) {
    return nullptr;
  }
  lent.len = static_cast<size_t>(camera_bytes);
  lent.buf = static_cast<uint8_t *>(malloc(lent.len));
  draw(lent.buf);
  is_lent = true;
  camera_lent = 1;
  return &lent;
}

void esp_camera_fb_return(camera_fb_t *)
{
  free(lent.buf);
  lent.buf = nullptr;
  is_lent = false;
  camera_lent = 0;
}
}
