/* What the tool generates as lib/model/model.h, for the model of fake_model.c. */
#ifndef MODEL_H_
#define MODEL_H_

#include <stddef.h>
#include <stdint.h>

#define MODEL_NAME "fake"
#define MODEL_HASH "00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0"
#define MODEL_ENGINE "aot"
#define MODEL_ARENA_BYTES 2048
#define MODEL_INPUT_COUNT 2
#define MODEL_OUTPUT_COUNT 2
#define MODEL_LAYER_COUNT 2

#ifndef MODEL_OBSERVER
#define MODEL_OBSERVER 0
#endif

enum model_type {
  MODEL_INT8 = 0,
  MODEL_UINT8 = 1,
  MODEL_INT16 = 2,
  MODEL_INT32 = 3,
  MODEL_FLOAT32 = 4,
  MODEL_INT64 = 5,
  MODEL_BOOL = 6,
};

struct model_tensor {
  const char *name;
  enum model_type type;
  int32_t rank;
  int32_t shape[6];
  float scale;
  int32_t zero_point;
  size_t bytes;
  void *data;
};

int model_init(void);
const char *model_failure(void);
size_t model_arena_used(void);
const struct model_tensor *model_input(size_t index);
const struct model_tensor *model_output(size_t index);
int model_invoke(void);

#if MODEL_OBSERVER
struct model_layer_output {
  size_t layer;
  size_t output;
  int32_t tensor;
  const char *kind;
  size_t bytes;
  const void *data;
};

typedef void (*model_observer)(void *context, const struct model_layer_output *output);

int model_invoke_observed(model_observer observer, void *context);
#endif

#endif
