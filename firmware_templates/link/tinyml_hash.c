#include "tinyml_hash.h"

static uint8_t hex_digit(char digit)
{
  return (uint8_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

void tinyml_read_hash(const char *text, uint8_t *hash)
{
  for (unsigned i = 0; i < 32; i++) {
    hash[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
  }
}
