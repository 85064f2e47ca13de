/* From the source to the model's input: reads samples and makes features of them.
 *
 *   if (tinyml_sense() && model_invoke() == 0) {
 *     use model_output(0)
 *   }
 */
#ifndef TINYML_SENSE_H
#define TINYML_SENSE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the model's input is complete: run the model before the next call, which may write it.
 * Starts the source at the first call, and again a second after it failed. Call it often. */
bool tinyml_sense(void);

/* Whether the last tinyml_sense() has found nothing to do: then the core may sleep. */
bool tinyml_sense_idle(void);

/* Stops the source, as when a computer uses the model; the next tinyml_sense() starts anew. */
void tinyml_sense_stop(void);

/* Times samples were lost since reset, be it that nobody read them in time or that the sensor was
 * away. Windows never reach across such a gap. */
uint32_t tinyml_sense_gaps(void);

#endif
