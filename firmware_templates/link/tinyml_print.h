/* Text for people, straight to the port: no stdio, no heap, no floating-point arithmetic. */
#ifndef TINYML_PRINT_H
#define TINYML_PRINT_H

#include <stddef.h>
#include <stdint.h>

void tinyml_print(const char *text);
/* Ends a line: CR and LF, which every serial monitor understands. */
void tinyml_print_line(const char *text);
void tinyml_print_int(int64_t value);
void tinyml_print_uint(uint64_t value);
/* Eight hexadecimal digits. */
void tinyml_print_hex(uint32_t value);
/* factor * scale in decimal, rounded to six significant digits behind the point;
 * |factor| below 2^33. */
void tinyml_print_real(int64_t factor, float scale);

#endif
