/* The best of the scores of classes. */
#ifndef TINYML_CLASS_SCORES_H
#define TINYML_CLASS_SCORES_H

#include <stdbool.h>

#include "tinyml_kernel.h"

/* The class with the largest score; the first of several. */
TINYML_KERNEL int32_t tinyml_best_class(int32_t classes, const float *scores)
{
  int32_t best = 0;
  for (int32_t c = 1; c < classes; ++c) {
    best = scores[c] > scores[best] ? c : best;
  }
  return best;
}

/* The `count` classes with the largest scores, best first; of several the first.
 *
 * count: at most classes.  top: [count]. */
TINYML_KERNEL void tinyml_top_classes(int32_t classes, const float *scores, int32_t count,
                                      int32_t *top)
{
  for (int32_t place = 0; place < count; ++place) {
    int32_t best = -1;
    for (int32_t c = 0; c < classes; ++c) {
      bool taken = false;
      for (int32_t before = 0; before < place; ++before) {
        taken |= top[before] == c;
      }
      if (!taken && (best < 0 || scores[c] > scores[best])) {
        best = c;
      }
    }
    top[place] = best;
  }
}

#endif
