/* Measurements that are rounded to the timer's ticks, up as well as down. */
#ifndef TINYML_DITHER_H
#define TINYML_DITHER_H

/* Moves the start of a measurement against the edges of the timer's ticks. */
void tinyml_dither(void);

#endif
