/* One line an inference, for programs rather than people: stored values, exact scales, and a CRC,
 * because nothing else protects text on a bad line.
 *
 *   !inference n=1 ticks=81234 hz=25000000 emulated=1 type0=int8 size0=2 scale0=3b800000
 *   zero0=-128 top0=1:127,0:-128 best=1 score=3f7f0000 detected=1 label=yes crc=0badcafe
 *
 * What the outputs say, from `best` to `label`, is told where the firmware has lib/answer/.
 * The CRC covers everything from '!' to the space before `crc=`.  Scales, and the values of
 * float32, are the bits of the IEEE 754 number. */
#include "tinyml_report.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "model.h"
#include "port.h"
#include "tinyml_crc32.h"
#include "tinyml_link_config.h"
#include "tinyml_protocol.h"

enum { DECIMAL_DIGITS = 20, HEX_DIGITS = 8 };

static uint32_t inferences;
static uint32_t crc; /* of the line so far */

static void put(const char *text, size_t bytes)
{
  crc = tinyml_crc32(crc, text, bytes);
  port_write((const uint8_t *)text, bytes);
}

static void put_text(const char *text)
{
  for (; *text != '\0'; text++) { /* counting them first would become a call of strlen() */
    put(text, 1);
  }
}

static void put_uint(uint64_t value)
{
  char digits[DECIMAL_DIGITS];
  size_t first = sizeof digits;
  do {
    digits[--first] = (char)('0' + (char)(value % 10u));
    value /= 10u;
  } while (value > 0);
  put(&digits[first], sizeof digits - first);
}

static void put_int(int64_t value)
{
  if (value < 0) {
    put_text("-");
  }
  put_uint(value < 0 ? 0u - (uint64_t)value : (uint64_t)value);
}

static void put_hex(uint32_t value)
{
  char digits[HEX_DIGITS];
  for (size_t i = 0; i < HEX_DIGITS; i++) {
    digits[HEX_DIGITS - 1u - i] = "0123456789abcdef"[(value >> (4u * i)) & 15u];
  }
  put(digits, sizeof digits);
}

static const struct value_type {
  const char *name;
  size_t bytes;
} types[] = {
    [MODEL_INT8] = {"int8", 1},   [MODEL_UINT8] = {"uint8", 1},     [MODEL_INT16] = {"int16", 2},
    [MODEL_INT32] = {"int32", 4}, [MODEL_FLOAT32] = {"float32", 4}, [MODEL_INT64] = {"int64", 8},
    [MODEL_BOOL] = {"bool", 1},
};

static uint32_t float_bits(const struct model_tensor *tensor, size_t index)
{
  uint32_t bits;
  memcpy(&bits, (const float *)tensor->data + index, sizeof bits);
  return bits;
}

/* A number that orders the values as they are ordered; the stored value itself for integers.
 * Floating-point numbers are in the order of their bits as sign and magnitude. */
static int64_t rank_value(const struct model_tensor *tensor, size_t index)
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
  case MODEL_FLOAT32: {
    const uint32_t bits = float_bits(tensor, index);
    const int64_t magnitude = (int64_t)(bits & 0x7FFFFFFFu);
    return bits >> 31 != 0 ? -magnitude : magnitude;
  }
  default:
    return ((const uint8_t *)tensor->data)[index];
  }
}

/* Whether value `index` comes after value `before`: it is lower, or as high and further back. */
static bool comes_after(const struct model_tensor *tensor, size_t index, size_t before)
{
  const int64_t value = rank_value(tensor, index);
  const int64_t other = rank_value(tensor, before);
  return value < other || (value == other && index > before);
}

/* The highest value after `before` in descending order; `size` as `before` asks for the first. */
static size_t next_highest(const struct model_tensor *tensor, size_t size, size_t before)
{
  size_t best = size;
  for (size_t i = 0; i < size; i++) {
    const bool left = before == size || comes_after(tensor, i, before);
    if (left && (best == size || comes_after(tensor, best, i))) {
      best = i;
    }
  }
  return best;
}

static void put_values(const struct model_tensor *tensor, size_t size)
{
  size_t index = size;
  for (size_t shown = 0; shown < TINYML_REPORT_VALUES && shown < size; shown++) {
    index = next_highest(tensor, size, index);
    put_text(shown > 0 ? "," : "");
    put_uint(index);
    put_text(":");
    if (tensor->type == MODEL_FLOAT32) {
      put_hex(float_bits(tensor, index));
    } else {
      put_int(rank_value(tensor, index));
    }
  }
}

static void put_key(const char *key)
{
  put_text(" ");
  put_text(key);
  put_text("=");
}

static void put_key_of(size_t output, const char *key)
{
  put_text(" ");
  put_text(key);
  put_uint(output);
  put_text("=");
}

static void put_output(size_t output)
{
  const struct model_tensor *tensor = model_output(output);
  const struct value_type type = types[tensor->type];
  const size_t size = tensor->bytes / type.bytes;
  uint32_t scale;
  memcpy(&scale, &tensor->scale, sizeof scale);
  put_key_of(output, TINYML_REPORT_TYPE);
  put_text(type.name);
  put_key_of(output, TINYML_REPORT_SIZE);
  put_uint(size);
  put_key_of(output, TINYML_REPORT_SCALE);
  put_hex(scale);
  put_key_of(output, TINYML_REPORT_ZERO);
  put_int(tensor->zero_point);
  put_key_of(output, TINYML_REPORT_TOP);
  put_values(tensor, size);
}

static void begin(uint64_t ticks)
{
  crc = 0;
  put_text(TINYML_REPORT_MARK);
  put_key(TINYML_REPORT_NUMBER);
  put_uint(++inferences);
  put_key(TINYML_REPORT_TICKS);
  put_uint(ticks);
  put_key(TINYML_REPORT_HZ);
  put_uint(port_ticks_hz());
  put_key(TINYML_REPORT_EMULATED);
  put_uint(TINYML_EMULATED);
  for (size_t i = 0; i < MODEL_OUTPUT_COUNT; i++) {
    put_output(i);
  }
}

static void end(void)
{
  const uint32_t line_crc = crc;
  put_key(TINYML_REPORT_CRC);
  put_hex(line_crc);
  put_text("\r\n");
}

void tinyml_report(uint64_t ticks)
{
  begin(ticks);
  end();
}

#if TINYML_ANSWER
static bool is_plain(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

/* A name as one word: what could end it as %XX. */
static void put_name(const char *name)
{
  for (; *name != '\0'; name++) {
    if (is_plain(*name)) {
      put(name, 1);
    } else {
      const unsigned byte = (unsigned char)*name;
      put_text("%");
      put(&"0123456789abcdef"[byte >> 4], 1);
      put(&"0123456789abcdef"[byte & 15u], 1);
    }
  }
}

void tinyml_report_answer(uint64_t ticks, const struct answer *answer)
{
  uint32_t score;
  memcpy(&score, &answer->score, sizeof score);
  begin(ticks);
  put_key(TINYML_REPORT_BEST);
  put_int(answer->best);
  put_key(TINYML_REPORT_SCORE);
  put_hex(score);
  put_key(TINYML_REPORT_DETECTED);
  put_int(answer->detected);
  put_key(TINYML_REPORT_LABEL);
  put_name(answer_label(answer->best));
  end();
}
#endif

uint32_t tinyml_reports(void) { return inferences; }
