/* A model for tests of the link: every byte of its inputs shows in every output, and its run
 * destroys the inputs, as real ones may.  fake_model.py computes the same. */
#define _POSIX_C_SOURCE 200809L
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model.h"

enum { INPUT_0 = 700, INPUT_1 = 12, LAYER_0 = 900, OUTPUT_0 = 300 };

/* Inputs, layers and outputs share memory. */
static _Alignas(8) uint8_t arena[MODEL_ARENA_BYTES];
static uint8_t *const input_0 = arena;
static uint8_t *const input_1 = arena + 704;
static uint8_t *const layer_0 = arena + 1024;
static uint8_t *const output_0 = arena;
static int32_t *const output_1 = (int32_t *)(arena + 512);

static const struct model_tensor inputs[] = {
    {"samples", MODEL_INT8, 2, {1, INPUT_0}, 0.5f, -3, INPUT_0, arena},
    {"settings", MODEL_FLOAT32, 1, {3}, 0.0f, 0, INPUT_1, arena + 704},
};
static const struct model_tensor outputs[] = {
    {"scores", MODEL_INT8, 2, {1, OUTPUT_0}, 0.00390625f, -128, OUTPUT_0, arena},
    {"digest", MODEL_INT32, 1, {1}, 0.0f, 0, 4, arena + 512},
};

static int setting(const char *name)
{
  const char *value = getenv(name);
  return value == NULL ? 0 : atoi(value);
}

int model_init(void) { return setting("FAKE_INIT_STATUS"); }

const char *model_failure(void)
{
  const char *text = getenv("FAKE_FAILURE");
  return text == NULL ? "" : text;
}

size_t model_arena_used(void) { return MODEL_ARENA_BYTES - 48; }

/* As with engine tflm: a model that did not start has no tensors. */
static bool is_ready(void) { return model_init() == 0; }

const struct model_tensor *model_input(size_t index)
{
  return is_ready() && index < MODEL_INPUT_COUNT ? &inputs[index] : NULL;
}

const struct model_tensor *model_output(size_t index)
{
  return is_ready() && index < MODEL_OUTPUT_COUNT ? &outputs[index] : NULL;
}

static uint32_t digest_of(const uint8_t *data, size_t bytes, uint32_t digest)
{
  for (size_t i = 0; i < bytes; i++) {
    digest = (digest ^ data[i]) * 16777619u;
  }
  return digest;
}

static void mix(void)
{
  uint32_t digest = digest_of(input_0, INPUT_0, 2166136261u);
  digest = digest_of(input_1, INPUT_1, digest);
  for (uint32_t i = 0; i < LAYER_0; i++) {
    layer_0[i] = (uint8_t)((digest >> (i % 24u)) + i + input_0[i % INPUT_0]);
  }
}

static void finish(void)
{
  memcpy(output_0, layer_0 + 100, OUTPUT_0);
  *output_1 = (int32_t)digest_of(layer_0, LAYER_0, 2166136261u);
}

static int take_time(void)
{
  const int milliseconds = setting("FAKE_RUN_MS");
  const struct timespec time = {.tv_sec = milliseconds / 1000,
                                .tv_nsec = milliseconds % 1000 * 1000000L};
  nanosleep(&time, NULL);
  return setting("FAKE_RUN_STATUS");
}

int model_invoke(void)
{
  mix();
  finish();
  return take_time();
}

#if MODEL_OBSERVER
int model_invoke_observed(model_observer observer, void *context)
{
  mix();
  observer(context, &(struct model_layer_output){0, 0, 7, "CONV_2D", LAYER_0, layer_0});
  finish();
  observer(context, &(struct model_layer_output){1, 0, 9, "SPLIT", OUTPUT_0, output_0});
  observer(context, &(struct model_layer_output){1, 1, 11, "SPLIT", 4, output_1});
  return take_time();
}
#endif
