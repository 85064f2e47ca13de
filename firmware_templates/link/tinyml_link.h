/* The link: lets a computer look into this firmware over the port, and a person, too.
 *
 * Programs speak frames (docs: the link's page of tinyml-tool), people type `help`. */
#ifndef TINYML_LINK_H
#define TINYML_LINK_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Call once, with what model_init() returned.  Prints a greeting. */
void tinyml_link_init(int model_status);

/* Answers everything that has arrived, then returns.  Call it often. */
void tinyml_link_poll(void);

/* Whether a program on the host used the link within the last seconds: leave the model and its
 * buffers alone then. */
bool tinyml_link_active(void);

#ifdef __cplusplus
}
#endif

#endif
