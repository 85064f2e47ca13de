/* Stands in for the header that declares Serial on Adafruit's framework. */
#include <Arduino.h>
