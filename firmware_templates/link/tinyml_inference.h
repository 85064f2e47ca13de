/* The model and what the link must remember about it: whose inputs, whose outputs. */
#ifndef TINYML_INFERENCE_H
#define TINYML_INFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model.h"

/* What model_init() returned. */
void tinyml_inference_start(int model_status);
int tinyml_inference_model_status(void);

/* Writes a piece of an input; false where it lies outside. */
bool tinyml_inference_set_input(size_t index, size_t offset, const uint8_t *data, size_t bytes);

/* Something else is about to write to an input, or has written all of them. */
void tinyml_inference_input_changes(void);
void tinyml_inference_inputs_written(void);

/* Sets every input to the real value 0. */
void tinyml_inference_zero_inputs(void);

/* Whether a piece of an input was set since the last run. */
bool tinyml_inference_inputs_set(void);

/* CRC-32 of all inputs, of all outputs, one after the other. */
uint32_t tinyml_inference_inputs_crc(void);
uint32_t tinyml_inference_outputs_crc(void);

/* Runs once and adds the time of model_invoke() to `ticks`.  Returns what it returned. */
int tinyml_inference_run(uint64_t *ticks);

#if MODEL_OBSERVER
/* As tinyml_inference_run(), and calls `observer` after each layer. */
int tinyml_inference_observe(model_observer observer, void *context);
#endif

/* The memory of the inputs and outputs has been used otherwise. */
void tinyml_inference_forget(void);

/* Whether the outputs are those of the last run. */
bool tinyml_inference_has_outputs(void);

#endif
