/* When a window is a detection. */
#ifndef TINYML_DETECTION_H
#define TINYML_DETECTION_H

#include <stdbool.h>

#include "tinyml_kernel.h"

/* Whether a window that is `found` is a detection: not within the `refractory` windows after one.
 *
 * quiet: windows until there may be a detection again; counted here. */
TINYML_KERNEL bool tinyml_detect(bool found, int32_t refractory, int32_t *quiet)
{
  if (*quiet > 0) {
    *quiet -= 1;
    return false;
  }
  if (found) {
    *quiet = refractory;
  }
  return found;
}

#endif
