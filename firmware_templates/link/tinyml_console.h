/* The link's text mode: a person at any serial monitor types a command and Enter. */
#ifndef TINYML_CONSOLE_H
#define TINYML_CONSOLE_H

#include <stdint.h>

/* Says what runs here. */
void tinyml_console_greet(void);

/* Takes a typed character: echoes it, and obeys the line at its end. */
void tinyml_console_take(uint8_t byte);

/* Forgets what was typed of a line. */
void tinyml_console_clear(void);

#endif
