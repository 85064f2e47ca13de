/* Stands in for Arduino's library PDM: the same signatures, and a microphone that tests play. */
#ifndef STAND_IN_PDM_H
#define STAND_IN_PDM_H

#include <stddef.h>

class PDMClass
{
public:
  int begin(int channels, int sampleRate);
  void end();
  int available();
  int read(void *buffer, size_t size);
  void onReceive(void (*function)(void));
  void setGain(int gain);
  void setBufferSize(int bufferSize);
};

extern PDMClass PDM;

#endif
