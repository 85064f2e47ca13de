#include "tinyml_console.h"

#include <stdbool.h>
#include <stddef.h>

#include "model.h"
#include "port.h"
#include "tinyml_answers.h"
#include "tinyml_crc32.h"
#include "tinyml_inference.h"
#include "tinyml_link_config.h"
#include "tinyml_print.h"
#include "tinyml_protocol.h"
#include "tinyml_run.h"

#if TINYML_MLPERF
#include "tinyml_mlperf.h"

/* The MLPerf Tiny runner shares the port: it wants no echo, until a person switches it on. */
enum { LINE_BYTES = TINYML_MLPERF_COMMAND_BYTES };
static bool echoes;
#else
enum { LINE_BYTES = 32 };
static const bool echoes = true;
#endif

enum { VALUES_SHOWN = 16, BACKSPACE = 8, DELETE = 127 };

static char line[LINE_BYTES + 1]; /* and a NUL */
static size_t line_bytes;
static bool line_spoilt; /* holds something no command has */
static bool after_cr;

void tinyml_console_clear(void)
{
  line_bytes = 0;
  line_spoilt = false;
}

void tinyml_console_greet(void)
{
  tinyml_print("\r\ntinyml: model ");
  tinyml_print(MODEL_NAME);
  tinyml_print(" on ");
  tinyml_print(TINYML_BOARD);
  tinyml_print_line(", type help");
#if TINYML_MLPERF
  tinyml_mlperf_greet();
#endif
}

static const char *type_name(enum model_type type)
{
  static const char *const names[] = {
      [MODEL_INT8] = "int8",   [MODEL_UINT8] = "uint8",     [MODEL_INT16] = "int16",
      [MODEL_INT32] = "int32", [MODEL_FLOAT32] = "float32", [MODEL_INT64] = "int64",
      [MODEL_BOOL] = "bool",
  };
  return names[type];
}

static void print_tensor(const char *role, size_t index, const struct model_tensor *tensor)
{
  tinyml_print(role);
  tinyml_print_uint(index);
  tinyml_print("  ");
  tinyml_print(type_name(tensor->type));
  tinyml_print(" [");
  for (int32_t i = 0; i < tensor->rank && i < (int32_t)TINYML_SHAPE_DIMENSIONS; i++) {
    tinyml_print(i > 0 ? ", " : "");
    tinyml_print_int(tensor->shape[i]);
  }
  tinyml_print("]");
  if (tensor->scale > 0.0f) {
    tinyml_print(" scale ");
    tinyml_print_real(1, tensor->scale);
    tinyml_print(" zero point ");
    tinyml_print_int(tensor->zero_point);
  }
  tinyml_print(" ");
  tinyml_print_line(tensor->name);
}

/* A model that did not start may have none to show. */
static void print_tensors(const char *role, size_t count,
                          const struct model_tensor *(*tensor_at)(size_t index))
{
  for (size_t i = 0; i < count; i++) {
    const struct model_tensor *tensor = tensor_at(i);
    if (tensor != NULL) {
      print_tensor(role, i, tensor);
    }
  }
}

static void print_memory(void)
{
  tinyml_print("memory   ");
  if (tinyml_inference_model_status() == 0) {
    tinyml_print_uint(model_arena_used());
    tinyml_print(" of ");
  }
  tinyml_print_uint(MODEL_ARENA_BYTES);
  tinyml_print(" bytes of arena, ");
  if (port_stack_bytes() == 0) {
    tinyml_print_line("use of the stack unknown");
    return;
  }
  tinyml_print_uint(port_stack_high_water());
  tinyml_print(" of ");
  tinyml_print_uint(port_stack_bytes());
  tinyml_print_line(" bytes of stack used");
}

static void info(void)
{
  tinyml_print("model    " MODEL_NAME ", engine " MODEL_ENGINE ", ");
  tinyml_print_uint(MODEL_LAYER_COUNT);
  tinyml_print_line(" layers");
  tinyml_print_line("hash     " MODEL_HASH);
  if (tinyml_inference_model_status() != 0) {
    tinyml_print("error    model_init() returned ");
    tinyml_print_int(tinyml_inference_model_status());
    tinyml_print(" ");
    tinyml_print_line(model_failure());
  }
  tinyml_print_line("board    " TINYML_BOARD);
  tinyml_print("build    " TINYML_BUILD_ID ", tinyml-tool " TINYML_TOOL_VERSION ", protocol ");
  tinyml_print_uint(TINYML_PROTOCOL_VERSION);
  tinyml_print_line("");
  print_memory();
  tinyml_print("timer    ");
  tinyml_print_uint(port_ticks_hz());
  tinyml_print_line(" Hz");
  print_tensors("input  ", MODEL_INPUT_COUNT, model_input);
  print_tensors("output ", MODEL_OUTPUT_COUNT, model_output);
}

static int64_t integer_at(const struct model_tensor *tensor, size_t index)
{
  switch (tensor->type) {
  case MODEL_INT8:
    return ((const int8_t *)tensor->data)[index];
  case MODEL_INT16:
    return ((const int16_t *)tensor->data)[index];
  case MODEL_INT32:
    return ((const int32_t *)tensor->data)[index];
  case MODEL_INT64:
    return ((const int64_t *)tensor->data)[index];
  default:
    return ((const uint8_t *)tensor->data)[index];
  }
}

static size_t bytes_of_value(enum model_type type)
{
  static const uint8_t bytes[] = {
      [MODEL_INT8] = 1,    [MODEL_UINT8] = 1, [MODEL_INT16] = 2, [MODEL_INT32] = 4,
      [MODEL_FLOAT32] = 4, [MODEL_INT64] = 8, [MODEL_BOOL] = 1,
  };
  return bytes[type];
}

static void print_value(const struct model_tensor *tensor, size_t index)
{
  if (tensor->type == MODEL_FLOAT32) {
    tinyml_print_real(1, ((const float *)tensor->data)[index]);
    return;
  }
  const int64_t stored = integer_at(tensor, index);
  if (tensor->scale > 0.0f) {
    tinyml_print_real(stored - tensor->zero_point, tensor->scale);
    tinyml_print("  stored ");
  }
  tinyml_print_int(stored);
}

static void print_output(size_t output)
{
  const struct model_tensor *tensor = model_output(output);
  const size_t values = tensor->bytes / bytes_of_value(tensor->type);
  for (size_t i = 0; i < values && i < VALUES_SHOWN; i++) {
    tinyml_print("output ");
    tinyml_print_uint(output);
    tinyml_print("[");
    tinyml_print_uint(i);
    tinyml_print("] = ");
    print_value(tensor, i);
    tinyml_print_line("");
  }
  if (values > VALUES_SHOWN) {
    tinyml_print("... and ");
    tinyml_print_uint(values - VALUES_SHOWN);
    tinyml_print_line(" more");
  }
}

static void print_time(uint64_t ticks)
{
  tinyml_print("time: ");
  tinyml_print_uint(ticks);
  tinyml_print(" ticks at ");
  tinyml_print_uint(port_ticks_hz());
  tinyml_print(" Hz");
#if TINYML_EMULATED
  tinyml_print_line(" (emulated: no measure of a real board)");
#else
  tinyml_print(", ");
  tinyml_print_uint(ticks * 1000000u / port_ticks_hz());
  tinyml_print_line(" us");
#endif
}

/* False, with a reason, where the model cannot run now. */
static bool prepare_run(void)
{
  if (tinyml_run_is_paused()) {
    tinyml_print_line("a program on the host looks at a layer right now; try again later");
    return false;
  }
  if (tinyml_inference_model_status() != 0) {
    tinyml_print_line("the model did not start, see info");
    return false;
  }
  const bool inputs_set = tinyml_inference_inputs_set();
  if (!inputs_set) {
    tinyml_inference_zero_inputs();
  }
  tinyml_print_line(inputs_set ? "inputs: as set last" : "inputs: zeros");
  return true;
}

static void print_result(int result)
{
  if (result == 0) {
    return;
  }
  tinyml_print("model_invoke() returned ");
  tinyml_print_int(result);
  tinyml_print_line("");
}

static void run(void)
{
  if (!prepare_run()) {
    return;
  }
  uint64_t ticks = 0;
  const int result = tinyml_inference_run(&ticks);
  print_result(result);
  for (size_t i = 0; i < MODEL_OUTPUT_COUNT && result == 0; i++) {
    print_output(i);
  }
#if TINYML_ANSWER
  if (result == 0) {
    tinyml_answers_take(true);
    tinyml_answers_print();
  }
#endif
  print_time(ticks);
}

#if MODEL_OBSERVER
static void print_layer(void *context, const struct model_layer_output *output)
{
  (void)context;
  tinyml_print("layer ");
  tinyml_print_uint(output->layer);
  tinyml_print("  ");
  tinyml_print(output->kind);
  tinyml_print("  tensor ");
  tinyml_print_int(output->tensor);
  tinyml_print(", ");
  tinyml_print_uint(output->bytes);
  tinyml_print(" bytes, CRC-32 ");
  tinyml_print_hex(tinyml_crc32(0, output->data, output->bytes));
  tinyml_print_line("");
}

static void layers(void)
{
  if (prepare_run()) {
    print_result(tinyml_inference_observe(print_layer, NULL));
  }
}
#endif

#if TINYML_MLPERF
static void switch_mode(void)
{
  echoes = !echoes;
  if (echoes) {
    tinyml_print_line("what you type is shown now; mlperf again makes room for the runner");
  } else {
    tinyml_mlperf_greet();
  }
}
#endif

static void help(void);

static const struct command {
  const char *name;
  const char *meaning;
  void (*obey)(void);
} commands[] = {
    {"help", "this list", help},
    {"info", "model, board, memory, inputs and outputs", info},
    {"run", "run the model once: on the inputs set last, or on zeros", run},
#if MODEL_OBSERVER
    {"layers", "run it and show a checksum of each layer", layers},
#endif
#if TINYML_MLPERF
    {"mlperf", "switch between the MLPerf runner and you, who see what you type", switch_mode},
#endif
    {"reset", "restart the board", port_reset},
};

enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void help(void)
{
  for (size_t i = 0; i < COMMANDS; i++) {
    tinyml_print(commands[i].name);
    tinyml_print("\t");
    tinyml_print_line(commands[i].meaning);
  }
#if TINYML_MLPERF
  tinyml_print_line("help%\tthe commands of the MLPerf Tiny runner, which end with % and no Enter");
#endif
}

static bool line_is(const char *command)
{
  size_t i = 0;
  while (i < line_bytes && line[i] == command[i]) {
    i++;
  }
  return i == line_bytes && command[i] == '\0';
}

static void obey_line(void)
{
  while (line_bytes > 0 && line[line_bytes - 1u] == ' ') {
    line_bytes--;
  }
  tinyml_print_line("");
  for (size_t i = 0; i < COMMANDS; i++) {
    if (!line_spoilt && line_is(commands[i].name)) {
      tinyml_console_clear();
      commands[i].obey();
      return;
    }
  }
  if (line_spoilt || line_bytes > 0) {
    tinyml_print_line("unknown command, type help");
  }
  tinyml_console_clear();
}

static void erase_last(void)
{
  if (line_bytes > 0) {
    line_bytes--;
    tinyml_print(echoes ? "\b \b" : "");
  }
}

static void add(uint8_t byte)
{
  const bool printable = byte >= ' ' && byte < DELETE;
  if (!printable || line_bytes == LINE_BYTES) {
    line_spoilt = true;
    return;
  }
  line[line_bytes++] = (char)byte;
  if (echoes && !line_spoilt) {
    port_write(&byte, 1);
  }
}

#if TINYML_MLPERF
static void obey_runner(void)
{
  if (echoes) {
    tinyml_print_line("%");
  }
  if (line_spoilt) {
    tinyml_mlperf_refuse();
  } else {
    line[line_bytes] = '\0';
    tinyml_mlperf_obey(line, line_bytes);
  }
  tinyml_console_clear();
}
#endif

void tinyml_console_take(uint8_t byte)
{
  const bool second_of_crlf = byte == '\n' && after_cr;
  after_cr = byte == '\r';
  if (second_of_crlf) {
    return;
  }
#if TINYML_MLPERF
  if (byte == '%') {
    obey_runner();
    return;
  }
#endif
  if (byte == '\r' || byte == '\n') {
    obey_line();
  } else if (byte == BACKSPACE || byte == DELETE) {
    erase_last();
  } else {
    add(byte);
  }
}
