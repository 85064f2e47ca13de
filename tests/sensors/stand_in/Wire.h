/* Stands in for the framework's library Wire: the same signatures, and a bus that tests answer. */
#ifndef STAND_IN_WIRE_H
#define STAND_IN_WIRE_H

#include <stddef.h>
#include <stdint.h>

class TwoWire
{
public:
  void begin();
  void end();
  void setClock(uint32_t hz);
  void setSDA(uint32_t pin);
  void setSCL(uint32_t pin);
  void beginTransmission(uint8_t address);
  size_t write(uint8_t byte);
  uint8_t endTransmission(bool stop = true);
  uint8_t requestFrom(uint8_t address, uint8_t count);
  int read();
};

extern TwoWire Wire;
extern TwoWire Wire1;

#define PB10 26
#define PB11 27

#endif
