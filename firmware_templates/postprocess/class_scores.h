/* The best of the scores of classes, whose type is `tinyml_score`. */
#ifndef TINYML_CLASS_SCORES_H
#define TINYML_CLASS_SCORES_H

#include <stdbool.h>

#include "tinyml_kernel.h"

/* The class with the largest score; the first of several. */
TINYML_KERNEL int32_t tinyml_best_class(int32_t classes, const tinyml_score *scores)
{
  int32_t best = 0;
  for (int32_t c = 1; c < classes; ++c) {
    best = scores[c] > scores[best] ? c : best;
  }
  return best;
}

/* Whether class `c` is among the `count` in `top`. */
TINYML_KERNEL bool tinyml_is_among(int32_t c, int32_t count, const int32_t *top)
{
  for (int32_t place = 0; place < count; ++place) {
    if (top[place] == c) {
      return true;
    }
  }
  return false;
}

/* The `count` classes with the largest scores, best first; of several the first.
 *
 * count: at most classes.  top: [count]. */
TINYML_KERNEL void tinyml_top_classes(int32_t classes, const tinyml_score *scores, int32_t count,
                                      int32_t *top)
{
  for (int32_t place = 0; place < count; ++place) {
    int32_t best = -1;
    for (int32_t c = 0; c < classes; ++c) {
      if ((best < 0 || scores[c] > scores[best]) && !tinyml_is_among(c, place, top)) {
        best = c;
      }
    }
    top[place] = best;
  }
}

#endif
