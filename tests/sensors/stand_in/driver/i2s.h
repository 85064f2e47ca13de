/* Stands in for ESP-IDF's driver/i2s.h (4.4): what the source uses of it, and no more. */
#ifndef STAND_IN_I2S_H
#define STAND_IN_I2S_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

typedef void *QueueHandle_t;
typedef int BaseType_t;
typedef uint32_t TickType_t;
#define pdTRUE 1
#define pdFALSE 0
extern "C" BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t ticks);

#define ESP_INTR_FLAG_LEVEL1 (1 << 1)
#define I2S_PIN_NO_CHANGE (-1)

typedef enum { I2S_NUM_0 = 0 } i2s_port_t;
typedef enum { I2S_MODE_MASTER = 1, I2S_MODE_RX = 8 } i2s_mode_t;
typedef enum { I2S_BITS_PER_SAMPLE_16BIT = 16, I2S_BITS_PER_SAMPLE_32BIT = 32 } i2s_bits_per_sample_t;
typedef enum { I2S_CHANNEL_FMT_RIGHT_LEFT, I2S_CHANNEL_FMT_ONLY_LEFT = 4 } i2s_channel_fmt_t;
typedef enum { I2S_COMM_FORMAT_STAND_I2S = 1 } i2s_comm_format_t;
typedef enum { I2S_EVENT_DMA_ERROR, I2S_EVENT_RX_DONE = 2, I2S_EVENT_RX_Q_OVF = 4 } i2s_event_type_t;

typedef struct {
  i2s_event_type_t type;
  size_t size;
} i2s_event_t;

typedef struct {
  i2s_mode_t mode;
  uint32_t sample_rate;
  i2s_bits_per_sample_t bits_per_sample;
  i2s_channel_fmt_t channel_format;
  i2s_comm_format_t communication_format;
  int intr_alloc_flags;
  int dma_buf_count;
  int dma_buf_len;
  bool use_apll;
  bool tx_desc_auto_clear;
  int fixed_mclk;
} i2s_config_t;

typedef struct {
  int mck_io_num;
  int bck_io_num;
  int ws_io_num;
  int data_out_num;
  int data_in_num;
} i2s_pin_config_t;

extern "C" {
esp_err_t i2s_driver_install(i2s_port_t port, const i2s_config_t *config, int queue_size,
                             void *queue);
esp_err_t i2s_driver_uninstall(i2s_port_t port);
esp_err_t i2s_set_pin(i2s_port_t port, const i2s_pin_config_t *pins);
esp_err_t i2s_read(i2s_port_t port, void *to, size_t size, size_t *bytes, TickType_t ticks);
}

#endif
