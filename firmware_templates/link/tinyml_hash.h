/* A SHA-256 as the link sends it. */
#ifndef TINYML_HASH_H
#define TINYML_HASH_H

#include <stdint.h>

/* text: 64 hexadecimal digits, lower case.  hash: [32]. */
void tinyml_read_hash(const char *text, uint8_t *hash);

#endif
