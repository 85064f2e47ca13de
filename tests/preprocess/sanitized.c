/* Features of the samples on stdin, pushed in pieces of odd sizes, to stdout; for sanitizers. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_features.h"

int main(void)
{
  features_value *const output = malloc(FEATURES_VALUES * sizeof *output);
  size_t pieces = 0;
  size_t read = 0;
  features_sample block[97];
  features_start(output);
  while ((read = fread(block, sizeof block[0], 1 + pieces++ % 97, stdin)) > 0) {
    /* A copy of just this size: a read behind it is seen. */
    features_sample *const samples = malloc(read * sizeof *samples);
    memcpy(samples, block, read * sizeof *samples);
    for (size_t taken = 0; taken < read;) {
      taken += features_push(samples + taken, read - taken);
      if (features_ready()) {
        fwrite(output, sizeof *output, FEATURES_VALUES, stdout);
      }
    }
    free(samples);
  }
  free(output);
  return 0;
}
