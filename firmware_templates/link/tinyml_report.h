/* Tells what an inference of the application found: one line that `tinyml monitor` shows.
 *
 *   const uint64_t start = port_ticks();
 *   if (model_invoke() == 0) {
 *     tinyml_report(port_ticks() - start);
 *   }
 */
#ifndef TINYML_REPORT_H
#define TINYML_REPORT_H

#include <stdint.h>

#include "tinyml_link_config.h"
#if TINYML_ANSWER
#include "model_answer.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Prints the time and the highest values of every output of the last model_invoke(). */
void tinyml_report(uint64_t ticks);

#if TINYML_ANSWER
/* The same, with what the outputs say. */
void tinyml_report_answer(uint64_t ticks, const struct answer *answer);
#endif

/* How many inferences were reported since the reset. */
uint32_t tinyml_reports(void);

#ifdef __cplusplus
}
#endif

#endif
