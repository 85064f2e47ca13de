/* An I2S microphone at an ESP32, through ESP-IDF's driver (driver/i2s.h, ESP-IDF 4.4).
 *
 * A sample has 24 bits, in the high ones of 32. The driver's buffers keep them while the model
 * runs, and its queue of events tells when they were full. */
#ifdef ARDUINO

#include <Arduino.h>
#include <driver/i2s.h>

#include "tinyml_source.h"
#include "tinyml_source_config.h"

static const i2s_port_t PORT = I2S_NUM_0;
static const int EVENTS = 8;
static const size_t WORDS = SOURCE_READ_BYTES / sizeof(features_sample);

static int32_t words[WORDS];
static QueueHandle_t events;

static i2s_config_t settings(void)
{
  i2s_config_t config = {};
  config.mode = static_cast<i2s_mode_t>(I2S_MODE_MASTER | I2S_MODE_RX);
  config.sample_rate = SOURCE_RATE;
  config.bits_per_sample = I2S_BITS_PER_SAMPLE_32BIT;
  config.channel_format = I2S_CHANNEL_FMT_ONLY_LEFT;
  config.communication_format = I2S_COMM_FORMAT_STAND_I2S;
  config.intr_alloc_flags = ESP_INTR_FLAG_LEVEL1;
  config.dma_buf_count = SOURCE_DMA_BUFFERS;
  config.dma_buf_len = SOURCE_DMA_SAMPLES;
  return config;
}

static i2s_pin_config_t pins(void)
{
  i2s_pin_config_t config = {};
  config.mck_io_num = I2S_PIN_NO_CHANGE;
  config.bck_io_num = SOURCE_PIN_BCLK;
  config.ws_io_num = SOURCE_PIN_WS;
  config.data_out_num = I2S_PIN_NO_CHANGE;
  config.data_in_num = SOURCE_PIN_DATA;
  return config;
}

int tinyml_source_start(void)
{
  const i2s_config_t config = settings();
  const i2s_pin_config_t pin_config = pins();
  if (i2s_driver_install(PORT, &config, EVENTS, &events) != ESP_OK) {
    return TINYML_SOURCE_REFUSED;
  }
  if (i2s_set_pin(PORT, &pin_config) != ESP_OK) {
    (void)i2s_driver_uninstall(PORT);
    return TINYML_SOURCE_REFUSED;
  }
  return TINYML_SOURCE_OK;
}

/* Whether the driver has dropped samples since the last call. */
static bool overrun(void)
{
  bool found = false;
  i2s_event_t event;
  while (xQueueReceive(events, &event, 0) == pdTRUE) {
    found = found || event.type == I2S_EVENT_RX_Q_OVF;
  }
  return found;
}

/* The high bits, saturated: a division would round towards 0, a shift of what is negative is up to
 * the compiler. */
static int16_t sample_of(int32_t word)
{
  const int32_t bits = static_cast<int32_t>(1) << SOURCE_SHIFT;
  int32_t value = word / bits;
  value -= word % bits < 0 ? 1 : 0;
  value = value < 32767 ? value : 32767;
  return static_cast<int16_t>(value > -32768 ? value : -32768);
}

/* What is kept from before a gap is thrown away with it. */
static int drop_all(void)
{
  size_t bytes = sizeof words;
  for (size_t left = SOURCE_DMA_BUFFERS * SOURCE_DMA_SAMPLES; left > 0 && bytes > 0;) {
    if (i2s_read(PORT, words, sizeof words, &bytes, 0) != ESP_OK) {
      return TINYML_SOURCE_BUS;
    }
    const size_t dropped = bytes / sizeof words[0];
    left -= dropped < left ? dropped : left;
  }
  return TINYML_SOURCE_LOST;
}

int tinyml_source_read(features_sample *samples, size_t count)
{
  if (overrun()) {
    return drop_all();
  }
  const size_t wanted = count < WORDS ? count : WORDS;
  size_t bytes = 0;
  if (i2s_read(PORT, words, wanted * sizeof words[0], &bytes, 0) != ESP_OK) {
    return TINYML_SOURCE_BUS;
  }
  const size_t got = bytes / sizeof words[0];
  for (size_t i = 0; i < got; i++) {
    samples[i] = sample_of(words[i]);
  }
  return static_cast<int>(got);
}

void tinyml_source_stop(void) { (void)i2s_driver_uninstall(PORT); }

#endif
