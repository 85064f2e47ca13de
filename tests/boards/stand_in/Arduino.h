/* Stands in for the Arduino framework in tests: what the generated port uses of it, and no more.
 *
 * Arduino.cpp implements it on the host: the serial object is a file descriptor. */
#ifndef STAND_IN_ARDUINO_H
#define STAND_IN_ARDUINO_H

#include <stddef.h>
#include <stdint.h>

extern "C" {
void setup(void);
void loop(void);
void yield(void);
void delay(unsigned long ms);
unsigned long millis(void);
unsigned long micros(void);
}

class StandInSerial
{
public:
  void begin(unsigned long baud);
  size_t setRxBufferSize(size_t bytes);
  int available();
  int read();
  size_t write(const uint8_t *data, size_t bytes);
  void flush();
};

extern StandInSerial Serial;

/* FreeRTOS, on frameworks that have it. */
typedef void *TaskHandle_t;
typedef uint8_t StackType_t;
unsigned long uxTaskGetStackHighWaterMark(TaskHandle_t task);

/* Adafruit's framework. */
uint32_t readResetReason(void);

/* ST's HAL, as its family STM32F4 names things. */
#define RCC_FLAG_LPWRRST 31
#define RCC_FLAG_WWDGRST 30
#define RCC_FLAG_IWDGRST 29
#define RCC_FLAG_SFTRST 28
#define RCC_FLAG_PORRST 27
#define RCC_FLAG_PINRST 26
#define RCC_FLAG_BORRST 25
extern uint32_t stand_in_reset_flags;
#define __HAL_RCC_GET_FLAG(flag) ((stand_in_reset_flags >> (flag)&1u) != 0)
#define __HAL_RCC_CLEAR_RESET_FLAGS() (stand_in_reset_flags = 0)

#endif
