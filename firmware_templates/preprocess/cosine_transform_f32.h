/* Cosine coefficients: a matrix times a vector. */
#ifndef TINYML_COSINE_TRANSFORM_F32_H
#define TINYML_COSINE_TRANSFORM_F32_H

#include "float_math.h"

/* matrix: [coefficients][bands].  values: [bands].  result: [coefficients]. */
TINYML_KERNEL void tinyml_cosine_transform_f32(int32_t coefficients, int32_t bands,
                                               const float *matrix, const float *values,
                                               float *result)
{
  for (int32_t c = 0; c < coefficients; ++c) {
    float sum = 0.0f;
    for (int32_t b = 0; b < bands; ++b) {
      sum += matrix[c * bands + b] * values[b];
    }
    result[c] = sum;
  }
}

#endif
