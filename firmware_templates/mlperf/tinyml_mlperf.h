/* The MLPerf Tiny runner's protocol, beside the link on the same port: text commands that end with
 * '%' instead of Enter, and answers in lines of which the last is m-ready. */
#ifndef TINYML_MLPERF_H
#define TINYML_MLPERF_H

#include <stddef.h>

/* Characters of a command, the '%' not counted. */
enum { TINYML_MLPERF_COMMAND_BYTES = 80 };

/* Says that the device is ready. */
void tinyml_mlperf_greet(void);

/* Obeys a command: a text of `bytes` characters with a NUL behind it, which is taken apart. */
void tinyml_mlperf_obey(char *command, size_t bytes);

/* Refuses a command that is too long, or is no text. */
void tinyml_mlperf_refuse(void);

#endif
