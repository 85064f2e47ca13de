/* CRC-32 as in Ethernet, zip and Python's zlib.crc32. */
#ifndef TINYML_CRC32_H
#define TINYML_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* CRC of what `crc` covers followed by `data`; start with 0. */
uint32_t tinyml_crc32(uint32_t crc, const void *data, size_t bytes);

#endif
