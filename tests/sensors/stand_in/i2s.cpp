/* A microphone that a test plays, behind ESP-IDF's buffers: when they are full, the oldest go. */
#include <driver/i2s.h>

#include <string.h>

static const size_t MOST = 1 << 16;

static int32_t kept[MOST];
static size_t kept_words, capacity;
static i2s_event_t queue[64];
static size_t queued;
static int token;
static bool installed;

extern "C" {
int i2s_install_fails, i2s_pins_fail, i2s_read_fails, i2s_installs;
i2s_config_t i2s_given;
i2s_pin_config_t i2s_given_pins;

static void tell(i2s_event_type_t type)
{
  if (queued < sizeof queue / sizeof queue[0]) {
    queue[queued].type = type;
    queue[queued++].size = 0;
  }
}

/* What the DMA has written: whole buffers. */
void i2s_deliver(const int32_t *words, size_t count)
{
  if (!installed) {
    return;
  }
  for (size_t i = 0; i < count; i++) {
    if (kept_words == capacity) {
      memmove(kept, kept + 1, (capacity - 1) * sizeof kept[0]);
      kept_words--;
      if (queued == 0 || queue[queued - 1].type != I2S_EVENT_RX_Q_OVF) {
        tell(I2S_EVENT_RX_Q_OVF);
      }
    }
    kept[kept_words++] = words[i];
  }
  tell(I2S_EVENT_RX_DONE);
}

int i2s_setting(int which)
{
  const int values[] = {static_cast<int>(i2s_given.mode),
                        static_cast<int>(i2s_given.sample_rate),
                        static_cast<int>(i2s_given.bits_per_sample),
                        static_cast<int>(i2s_given.channel_format),
                        i2s_given.dma_buf_count,
                        i2s_given.dma_buf_len,
                        i2s_given_pins.bck_io_num,
                        i2s_given_pins.ws_io_num,
                        i2s_given_pins.data_in_num,
                        i2s_given_pins.data_out_num};
  return values[which];
}

BaseType_t xQueueReceive(QueueHandle_t from, void *item, TickType_t)
{
  if (from != &token || queued == 0) {
    return pdFALSE;
  }
  memcpy(item, &queue[0], sizeof queue[0]);
  memmove(queue, queue + 1, --queued * sizeof queue[0]);
  return pdTRUE;
}

esp_err_t i2s_driver_install(i2s_port_t, const i2s_config_t *config, int, void *to)
{
  if (i2s_install_fails != 0 || installed) {
    return ESP_FAIL;
  }
  i2s_installs++;
  installed = true;
  i2s_given = *config;
  capacity = static_cast<size_t>(config->dma_buf_count) * static_cast<size_t>(config->dma_buf_len);
  kept_words = queued = 0;
  *static_cast<QueueHandle_t *>(to) = &token;
  return ESP_OK;
}

esp_err_t i2s_driver_uninstall(i2s_port_t)
{
  installed = false;
  return ESP_OK;
}

esp_err_t i2s_set_pin(i2s_port_t, const i2s_pin_config_t *pins)
{
  i2s_given_pins = *pins;
  return i2s_pins_fail != 0 ? ESP_FAIL : ESP_OK;
}

esp_err_t i2s_read(i2s_port_t, void *to, size_t size, size_t *bytes, TickType_t)
{
  const size_t words = size / sizeof kept[0] < kept_words ? size / sizeof kept[0] : kept_words;
  if (i2s_read_fails != 0 || !installed) {
    return ESP_FAIL;
  }
  memcpy(to, kept, words * sizeof kept[0]);
  memmove(kept, kept + words, (kept_words - words) * sizeof kept[0]);
  kept_words -= words;
  *bytes = words * sizeof kept[0];
  return ESP_OK;
}
}
