/* Stands in for Arduino's library Arduino_OV767X: the same signatures. */
#ifndef STAND_IN_OV767X_H
#define STAND_IN_OV767X_H

enum { YUV422 = 0, RGB444 = 1, RGB565 = 2, GRAYSCALE = 4 };
enum { VGA = 0, CIF = 1, QVGA = 2, QCIF = 3, QQVGA = 4 };

class OV767X
{
public:
  int begin(int resolution, int format, int fps);
  void end();
  void readFrame(void *buffer);
};

extern OV767X Camera;

#endif
