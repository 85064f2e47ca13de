#include "tinyml_print.h"

#include <stdbool.h>
#include <string.h>

#include "port.h"

static void print_char(char character)
{
  const uint8_t byte = (uint8_t)character;
  port_write(&byte, 1);
}

void tinyml_print(const char *text)
{
  for (; *text != '\0'; text++) {
    print_char(*text);
  }
}

void tinyml_print_line(const char *text)
{
  tinyml_print(text);
  tinyml_print("\r\n");
}

void tinyml_print_uint(uint64_t value)
{
  char digits[21]; /* 2^64 has 20 */
  size_t first = sizeof digits - 1u;
  digits[first] = '\0';
  do {
    digits[--first] = (char)('0' + (char)(value % 10u));
    value /= 10u;
  } while (value > 0);
  tinyml_print(&digits[first]);
}

void tinyml_print_int(int64_t value)
{
  if (value < 0) {
    print_char('-');
  }
  tinyml_print_uint(value < 0 ? 0u - (uint64_t)value : (uint64_t)value);
}

void tinyml_print_hex(uint32_t value)
{
  for (int shift = 28; shift >= 0; shift -= 4) {
    print_char("0123456789abcdef"[(value >> shift) & 15u]);
  }
}

enum {
  SIGNIFICANT = 6,   /* digits behind the point, zeros in front not counted */
  DECIMALS = 18,     /* digits behind the point at most */
  FRACTION_BITS = 59 /* ten times a fraction of so many bits fits 64 */
};

/* Adds one in the last place; true where that carries into the number before the point. */
static bool round_up(char *decimals, size_t count)
{
  for (size_t i = count; i > 0; i--) {
    if (decimals[i - 1u] < '9') {
      decimals[i - 1u]++;
      return false;
    }
    decimals[i - 1u] = '0';
  }
  return true;
}

/* Prints value / 2^bits; bits is 1 to FRACTION_BITS. */
static void print_fixed_point(uint64_t value, unsigned bits)
{
  const uint64_t mask = ((uint64_t)1 << bits) - 1u;
  uint64_t whole = value >> bits;
  uint64_t rest = value & mask;
  char decimals[DECIMALS + 1];
  size_t count = 0;
  size_t significant = 0;
  while (rest > 0 && count < DECIMALS && significant < SIGNIFICANT) {
    rest *= 10u;
    const char digit = (char)('0' + (char)(rest >> bits));
    rest &= mask;
    decimals[count++] = digit;
    significant += digit != '0' || significant > 0 || whole > 0;
  }
  if (rest > mask / 2u && round_up(decimals, count)) {
    whole++;
  }
  while (count > 0 && decimals[count - 1u] == '0') {
    count--;
  }
  decimals[count] = '\0';
  tinyml_print_uint(whole);
  if (count > 0) {
    print_char('.');
    tinyml_print(decimals);
  }
}

/* Prints value * 2^exponent. */
static void print_binary(uint64_t value, int exponent)
{
  while (exponent > 0 && value >> 63 == 0) {
    value <<= 1;
    exponent--;
  }
  while (exponent < -FRACTION_BITS) {
    value >>= 1;
    exponent++;
  }
  if (exponent < 0) {
    print_fixed_point(value, (unsigned)-exponent);
    return;
  }
  tinyml_print_uint(value);
  if (exponent > 0) {
    tinyml_print(" * 2^");
    tinyml_print_uint((uint64_t)exponent);
  }
}

void tinyml_print_real(int64_t factor, float scale)
{
  uint32_t bits;
  memcpy(&bits, &scale, sizeof bits);
  const unsigned biased_exponent = (bits >> 23) & 0xFFu;
  uint64_t significand = bits & 0x7FFFFFu;
  if (biased_exponent == 0xFFu) {
    tinyml_print(significand != 0 ? "nan" : bits >> 31 ? "-inf" : "inf");
    return;
  }
  int exponent = -149;
  if (biased_exponent > 0) {
    significand |= 0x800000u;
    exponent = (int)biased_exponent - 150;
  }
  const uint64_t magnitude = factor < 0 ? 0u - (uint64_t)factor : (uint64_t)factor;
  if (magnitude * significand == 0) {
    print_char('0');
    return;
  }
  if ((factor < 0) != (bits >> 31 != 0)) {
    print_char('-');
  }
  print_binary(magnitude * significand, exponent);
}
