/* Preprocessing for tests of the link: the lower halves of 700 samples are the model's input. */
#ifndef MODEL_FEATURES_H_
#define MODEL_FEATURES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FEATURES_HASH "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define FEATURES_VALUES 700
#define FEATURES_RAM_BYTES 16

typedef int16_t features_sample;
typedef int8_t features_value;

void features_start(features_value *output);
size_t features_push(const features_sample *samples, size_t count);
bool features_ready(void);

#endif
