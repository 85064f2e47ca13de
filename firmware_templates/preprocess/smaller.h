/* The smaller one of two sizes. */
#ifndef TINYML_SMALLER_H
#define TINYML_SMALLER_H

#include "tinyml_kernel.h"

TINYML_KERNEL size_t tinyml_smaller(size_t a, size_t b) { return a < b ? a : b; }

#endif
