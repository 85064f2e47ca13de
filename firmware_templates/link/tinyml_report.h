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

#ifdef __cplusplus
extern "C" {
#endif

/* Prints the time and the highest values of every output of the last model_invoke(). */
void tinyml_report(uint64_t ticks);

#ifdef __cplusplus
}
#endif

#endif
