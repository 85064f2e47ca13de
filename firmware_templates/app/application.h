/* What starts and drives the application of main.c, whoever has main(). */
#ifndef APPLICATION_H
#define APPLICATION_H

#ifdef __cplusplus
extern "C" {
#endif

/* Once, after port_init(). */
void application_start(void);

/* Again and again. */
void application_loop(void);

#ifdef __cplusplus
}
#endif

#endif
