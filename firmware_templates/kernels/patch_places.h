/* Where the outputs of four patches go. */
#ifndef TINYML_PATCH_PLACES_H
#define TINYML_PATCH_PLACES_H

#include <stdint.h>

enum { TINYML_PATCHES_TOGETHER = 4 };

/* How far the outputs of patches 1 to 3 lie behind that of patch 0, which is written last; 0 drops
 * a patch. */
struct tinyml_patch_places {
  int32_t at_1;
  int32_t at_2;
  int32_t at_3;
};

#endif
